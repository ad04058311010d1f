/**
 * Seen are assigned letters, marks, numbers, punctuation and symbols, and the space. Not seen is all else: control and format
 * characters, ends of lines, other white space, private use, what Unicode has not assigned, halves of surrogate pairs.
 */
const outside = String.raw`[^\p{L}\p{M}\p{N}\p{P}\p{S} ]`;
/**
 * Within these categories: what programs may show as nothing, and what has a blank for its shape, which no property of Unicode
 * tells: the Braille pattern without dots, the object replacement character, the filler of the Khitan script, the blanks of
 * the hieroglyphs and the null notehead.
 */
const blank = String.raw`[\p{Default_Ignorable_Code_Point}\u2800\uFFFC\u{16FE4}\u{13441}\u{13442}\u{1D159}]`;
/** A mark changes the character before it; at the beginning that is one of the text around. */
const loneMark = String.raw`(?<=^ *)\p{M}`;

/** One character that is not seen, as the source of a regular expression with the flag `u`. */
export const unseenCharacter = `(?:${outside}|${blank})`;

const firstUnseen = new RegExp(`${unseenCharacter}|${loneMark}`, 'u');
const everyUnseen = new RegExp(unseenCharacter, 'gu');

/** The first character of a text that is not seen by itself, as U+200B; undefined when there is none. */
export function unseenIn(text: string): string | undefined {
  const code = firstUnseen.exec(text)?.[0].codePointAt(0);
  return code === undefined ? undefined : `U+${code.toString(16).toUpperCase().padStart(4, '0')}`;
}

/** White space becomes a space, and what is not seen nothing. */
export const seenOf = (text: string): string =>
  text.replace(/\p{White_Space}/gu, ' ').replace(everyUnseen, '');
