import { invisibleCharacter } from '@agentlattice/contracts';

/**
 * Control characters and invisible ones: every character that names may not contain either (libs/contracts/src/visible-text.ts).
 * Parts of an emoji are kept: a joiner between two pictures, and U+FE0F after one or in a keycap.
 */
const inEmoji = [
  String.raw`(?<=\p{Extended_Pictographic}[\ufe0f\u{1f3fb}-\u{1f3ff}]?)\u200d\p{Extended_Pictographic}`,
  String.raw`(?<=\p{Extended_Pictographic})\ufe0f`,
  String.raw`(?<=[0-9#*])\ufe0f\u20e3`,
];
const hidden = new RegExp(`(?!${inEmoji.join('|')})${invisibleCharacter}`, 'gu');

const names: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

function visible(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  const hex = code.toString(16);
  return names[character] ?? (code <= 0xff ? `\\x${hex.padStart(2, '0')}` : `\\u{${hex}}`);
}

/** Text of others on one line, with everything in it visible: an agent writes it and a person decides by it. */
export const safeText = (text: string): string => text.replaceAll(hidden, visible);

/** The same, cut to this many characters. */
export function shortText(text: string, length: number): string {
  const characters = [...new Intl.Segmenter().segment(safeText(text))];
  if (characters.length <= length) return safeText(text);
  return `${characters
    .slice(0, length - 1)
    .map(({ segment }) => segment)
    .join('')}…`;
}

/** JSON that is safe to print on a terminal; programs read the same value. */
export const safeJson = (value: unknown, indent?: number): string =>
  JSON.stringify(value, null, indent).replaceAll(hidden, (character) =>
    character === '\n'
      ? character
      : [...Array(character.length).keys()]
          .map((i) => `\\u${character.charCodeAt(i).toString(16).padStart(4, '0')}`)
          .join(''),
  );
