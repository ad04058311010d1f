import { RE2JS } from 're2js';
import { type Fuel, spend } from './fuel.js';

/** The largest compiled pattern, in RE2 instructions. */
const maxProgram = 2_000;
const maxSource = 1_000;
/** The most copies of its parts that the repetitions of a pattern may expand to: compiling 100,000 takes a second. */
const maxCopies = 8_000;

/** A regular expression of RE2's syntax: searches in linear time, whatever the pattern and the text. */
export interface LinearPattern {
  /** True when the pattern is found anywhere in the text; false also when the fuel does not last. */
  found(text: string, fuel: Fuel): boolean;
}

const tooLarge = 'the pattern is too large when its repetitions are written out';

/**
 * The most parts of a pattern when its counted repetitions are expanded. This runs before RE2 compiles the pattern, so the text may
 * be invalid.
 */
function copiesOf(source: string): number {
  /** By open group: the number of parts so far, and the parts of its last element, which a repetition would repeat. */
  const groups = [{ parts: 0, last: 0 }];
  const tokens = /\\[\s\S]|\[\^?\]?(?:\\[\s\S]|[^\]\\])*\]|\{(\d+)(?:,(\d*))?\}|[\s\S]/g;
  for (const [token, least, most] of source.matchAll(tokens)) {
    const open = groups.at(-1) ?? { parts: 0, last: 0 };
    if (token === '(') groups.push({ parts: 0, last: 0 });
    else if (token === ')' && groups.length > 1) {
      groups.pop();
      add(groups.at(-1) ?? open, 1 + open.parts);
    } else if (least !== undefined) {
      const times = Math.max(Number(least), Number(most ?? 0), 1);
      open.parts += open.last * (times - 1);
      open.last *= times;
    } else if (!'*+?|'.includes(token)) add(open, 1);
  }
  return groups.reduce((sum, { parts }) => sum + parts, 0);

  function add(group: { parts: number; last: number }, parts: number) {
    group.parts += parts;
    group.last = parts;
  }
}

/** @returns the pattern, or a sentence that names its fault */
export function linearPattern(source: string): LinearPattern | string {
  if (source.length > maxSource) return `a pattern has at most ${String(maxSource)} characters`;
  if (copiesOf(source) > maxCopies) return tooLarge;
  let pattern: RE2JS;
  try {
    pattern = RE2JS.compile(source);
  } catch (error) {
    return `not an RE2 pattern: ${error instanceof Error ? error.message : String(error)}`;
  }
  const size = pattern.programSize();
  if (size > maxProgram) return tooLarge;
  return { found: (text, fuel) => spend(fuel, size * text.length) && pattern.test(text) };
}
