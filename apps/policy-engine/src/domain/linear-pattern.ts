import { RE2JS } from 're2js';
import { type Fuel, spend } from './fuel.js';

/** Largest compiled pattern, in RE2 instructions. */
const maxProgram = 2_000;
const maxSource = 1_000;

/** A regular expression of RE2's syntax: searches in linear time, whatever the pattern and the text. */
export interface LinearPattern {
  /** True when the pattern is found anywhere in the text; false also when the fuel does not last. */
  found(text: string, fuel: Fuel): boolean;
}

/** @returns the pattern, or a sentence about what is wrong with it */
export function linearPattern(source: string): LinearPattern | string {
  if (source.length > maxSource) return `a pattern has at most ${String(maxSource)} characters`;
  let pattern: RE2JS;
  try {
    pattern = RE2JS.compile(source);
  } catch (error) {
    return `not an RE2 pattern: ${error instanceof Error ? error.message : String(error)}`;
  }
  const size = pattern.programSize();
  if (size > maxProgram) return 'the pattern is too large when its repetitions are written out';
  return { found: (text, fuel) => spend(fuel, size * text.length) && pattern.test(text) };
}
