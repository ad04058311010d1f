/** A long text, cut in its middle: tails hide things, so the end is shown as well. */
export interface Excerpt {
  readonly head: string;
  /** Empty when nothing was left out. */
  readonly tail: string;
  readonly omitted: number;
  readonly characters: number;
  readonly lines: number;
}

const headLines = 5;
const headCharacters = 400;
const tailLines = 2;
const tailCharacters = 120;

export function excerptOf(text: string): Excerpt {
  const lines = text.split('\n');
  const characters = [...text].length;
  const whole = { head: text, tail: '', omitted: 0, characters, lines: lines.length };
  if (lines.length <= headLines + tailLines && characters <= headCharacters + tailCharacters) return whole;
  const head = firstCharacters(lines.slice(0, headLines).join('\n'), headCharacters);
  const tail = lastCharacters(lines.slice(-tailLines).join('\n'), tailCharacters);
  const omitted = characters - [...head].length - [...tail].length;
  return omitted <= 0 ? whole : { head, tail, omitted, characters, lines: lines.length };
}

const firstCharacters = (text: string, count: number) => [...text].slice(0, count).join('');
const lastCharacters = (text: string, count: number) => [...text].slice(-count).join('');
