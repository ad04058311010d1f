/**
 * Visible are assigned letters, marks, numbers, punctuation and symbols, and the space. All other characters count as
 * invisible: control and format characters, ends of lines, other white space, private use, unassigned characters, halves of
 * surrogate pairs.
 */
const outside = String.raw`[^\p{L}\p{M}\p{N}\p{P}\p{S} ]`;
/**
 * Invisible within these categories: characters that programs may ignore, and characters with a blank shape, for which
 * Unicode has no property: the Braille pattern without dots, the object replacement character, the filler of the Khitan
 * script, the blanks of the hieroglyphs and the null notehead.
 */
const blank = String.raw`[\p{Default_Ignorable_Code_Point}\u2800\uFFFC\u{16FE4}\u{13441}\u{13442}\u{1D159}]`;
/** A mark changes the character before it; at the beginning that is a character of the surrounding text. */
const loneMark = String.raw`(?<=^ *)\p{M}`;

/** One invisible character, as the source of a regular expression with the flag `u`. */
export const invisibleCharacter = `(?:${outside}|${blank})`;

const firstInvisible = new RegExp(`${invisibleCharacter}|${loneMark}`, 'u');
const everyInvisible = new RegExp(invisibleCharacter, 'gu');

/** The first invisible character of a text, as U+200B; undefined when there is none. */
export function firstInvisibleCharacter(text: string): string | undefined {
  const code = firstInvisible.exec(text)?.[0].codePointAt(0);
  return code === undefined ? undefined : `U+${code.toString(16).toUpperCase().padStart(4, '0')}`;
}

/** Replaces white space by a space and removes invisible characters. */
export const visibleTextOf = (text: string): string =>
  text.replace(/\p{White_Space}/gu, ' ').replace(everyInvisible, '');
