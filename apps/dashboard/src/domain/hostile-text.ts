import { partsWithHosts } from './host-names.js';

/** A part of a text from outside, as it is shown: plain, or as something that cannot be overlooked. */
export type Segment =
  | { readonly kind: 'text'; readonly text: string }
  /** Invisible, or able to change how the text around it looks: only its code point is shown. */
  | { readonly kind: 'code_point'; readonly label: string; readonly name: string }
  /** A visible letter of another script than the rest of its word. */
  | { readonly kind: 'look_alike'; readonly text: string; readonly label: string; readonly name: string }
  /** After a host name in other letters: the name that is looked up. */
  | { readonly kind: 'host'; readonly name: string }
  | { readonly kind: 'spaces'; readonly count: number }
  | { readonly kind: 'blank_lines'; readonly count: number };

/** Controls, format characters, separators of lines, private use, unassigned, surrogates, and all that is ignored by default. */
const notShown =
  /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Co}\p{Cn}\p{Cs}\p{Variation_Selector}\p{Default_Ignorable_Code_Point}]/u;
const longestSpaces = 8;
const mostMarks = 2;
/** Runs that are looked at as a whole; everything else goes one code point at a time. */
const runs = /[\p{Zs}]{9,}|\n(?:[\p{Zs}\t]*\n){4,}|[\p{L}\p{M}\p{Nd}]+|[^]/gu;

const names: Readonly<Record<number, string>> = {
  0x00: 'null', 0x07: 'bell', 0x08: 'backspace', 0x09: 'tab', 0x0d: 'carriage return', 0x1b: 'escape', 0x7f: 'delete',
  0xad: 'soft hyphen', 0x200b: 'zero width space', 0x200c: 'zero width non-joiner', 0x200d: 'zero width joiner',
  0x200e: 'left-to-right mark', 0x200f: 'right-to-left mark', 0x202a: 'left-to-right embedding',
  0x202b: 'right-to-left embedding', 0x202c: 'pop directional formatting', 0x202d: 'left-to-right override',
  0x202e: 'right-to-left override', 0x2028: 'line separator', 0x2029: 'paragraph separator', 0x2060: 'word joiner',
  0x2066: 'left-to-right isolate', 0x2067: 'right-to-left isolate', 0x2068: 'first strong isolate',
  0x2069: 'pop directional isolate', 0x3164: 'Hangul filler', 0xfeff: 'byte order mark',
}; // prettier-ignore
const kinds: readonly (readonly [RegExp, string])[] = [
  [/\p{Cs}/u, 'unpaired surrogate'],
  [/[\u{e0000}-\u{e007f}]/u, 'invisible tag character'],
  [/\p{Variation_Selector}/u, 'variation selector'],
  [/\p{Co}/u, 'private use character'],
  [/\p{Cn}/u, 'unassigned code point'],
  [/\p{Cc}/u, 'control character'],
  [/\p{M}/u, 'combining mark'],
];

/** Takes a text apart for display. What is joined again from `text` parts looks as it is written. */
export function segmentsOf(text: string): readonly Segment[] {
  const segments: Segment[] = [];
  const add = (segment: Segment) => {
    const last = segments.at(-1);
    if (segment.kind === 'text' && last?.kind === 'text')
      segments[segments.length - 1] = { kind: 'text', text: last.text + segment.text };
    else segments.push(segment);
  };
  let atLineStart = true;
  for (const part of partsWithHosts(text)) {
    for (const [run] of part.text.matchAll(runs)) {
      if (/^[\p{Zs}]{2,}$/u.test(run) && run.length > longestSpaces)
        add({ kind: 'spaces', count: run.length });
      else if (run.length > 1 && run.startsWith('\n')) {
        add({ kind: 'text', text: '\n' });
        add({ kind: 'blank_lines', count: run.split('\n').length - 2 });
        add({ kind: 'text', text: '\n' });
      } else if (/^[\p{L}\p{M}\p{Nd}]/u.test(run)) for (const segment of wordSegments(run)) add(segment);
      else if (run === '\n' || (run === '\t' && atLineStart)) add({ kind: 'text', text: run });
      else if (notShown.test(run)) add(boxed(run));
      else add({ kind: 'text', text: run });
      atLineStart = run.endsWith('\n') || (atLineStart && /^[\p{Zs}\t]+$/u.test(run));
    }
    if (part.ascii !== null) add({ kind: 'host', name: part.ascii });
  }
  return segments;
}

function* wordSegments(word: string): Generator<Segment> {
  const foreign = foreignLetters(word);
  let marks = 0;
  for (const character of word) {
    marks = /\p{M}/u.test(character) ? marks + 1 : 0;
    if (marks > mostMarks || notShown.test(character)) yield boxed(character);
    else if (foreign?.test(character) === true)
      yield {
        kind: 'look_alike',
        text: character,
        label: codePointLabel(character),
        name: `${scriptOf(character)} letter`,
      };
    else yield { kind: 'text', text: character };
  }
}

/** Scripts that are written together with Latin, or with one another (UTS #39, highly restrictive). */
const together = [
  /^[\p{sc=Latin}\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Common}\p{sc=Inherited}]+$/u,
  /^[\p{sc=Latin}\p{sc=Han}\p{sc=Bopomofo}\p{sc=Common}\p{sc=Inherited}]+$/u,
  /^[\p{sc=Latin}\p{sc=Han}\p{sc=Hangul}\p{sc=Common}\p{sc=Inherited}]+$/u,
];
const scripts = [
  ['Latin', /\p{sc=Latin}/u], ['Cyrillic', /\p{sc=Cyrillic}/u], ['Greek', /\p{sc=Greek}/u],
  ['Armenian', /\p{sc=Armenian}/u], ['Georgian', /\p{sc=Georgian}/u], ['Cherokee', /\p{sc=Cherokee}/u],
  ['Hebrew', /\p{sc=Hebrew}/u], ['Arabic', /\p{sc=Arabic}/u], ['Coptic', /\p{sc=Coptic}/u],
  ['Lisu', /\p{sc=Lisu}/u], ['Thai', /\p{sc=Thai}/u], ['Han', /\p{sc=Han}/u], ['Hangul', /\p{sc=Hangul}/u],
] as const; // prettier-ignore
const scriptOf = (character: string) =>
  scripts.find(([, pattern]) => pattern.test(character))?.[0] ?? 'Foreign';

/** Letters of a word that are not of its main script; null when the word mixes nothing that is not usually mixed. */
function foreignLetters(word: string): RegExp | null {
  if (together.some((pattern) => pattern.test(word))) return null;
  const found = scripts.filter(([, pattern]) => pattern.test(word));
  if (found.length < 2) return null;
  // Latin is the script of identifiers: a letter that is not Latin in a word with Latin letters is the one to look at.
  const main = found.find(([name]) => name === 'Latin') ?? found[0];
  return main === undefined ? null : new RegExp(`(?!${main[1].source})\\p{L}`, 'u');
}

function boxed(character: string): Segment {
  return { kind: 'code_point', label: codePointLabel(character), name: nameOf(character) };
}

const codePointLabel = (character: string) =>
  `U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`;
const nameOf = (character: string) =>
  names[character.codePointAt(0) ?? -1] ??
  kinds.find(([pattern]) => pattern.test(character))?.[1] ??
  'invisible character';
