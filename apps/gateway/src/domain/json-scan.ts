const quote = 0x22;
const comma = 0x2c;
const colon = 0x3a;
const openBracket = 0x5b;
const backslash = 0x5c;
const letterU = 0x75;
const openBrace = 0x7b;

/** The counts of one pass over the bytes of a JSON text, outside of its strings. */
export interface JsonScan {
  /** Colons: the number of members in all objects, duplicates included. */
  readonly members: number;
  /** Commas and opening brackets: about the number of values. */
  readonly values: number;
  /** Whether `\u` occurs: no other escape can produce half of a surrogate pair or a NUL. */
  readonly unicodeEscapes: boolean;
  /** Whether the name of a member contains a backslash: such a text must not be given to `JSON.parse` (decisions §2.6). */
  readonly backslashInName: boolean;
}

/** For a text that is not JSON the counts have no meaning. */
export function scanJson(text: Uint8Array): JsonScan {
  let members = 0;
  let values = 0;
  let unicodeEscapes = false;
  let backslashInName = false;
  /** Of the last string, until it is clear whether it is a name. */
  let holdsBackslash = false;
  for (let i = 0; i < text.length; i++) {
    const byte = text[i];
    if (byte === quote) {
      holdsBackslash = false;
      for (i++; i < text.length && text[i] !== quote; i++) {
        if (text[i] !== backslash) continue;
        i++;
        if (text[i] === backslash) holdsBackslash = true;
        else if (text[i] === letterU) {
          unicodeEscapes = true;
          if (isBackslashCode(text, i + 1)) holdsBackslash = true;
        }
      }
    } else if (byte === comma || byte === openBrace || byte === openBracket) values++;
    else if (byte === colon) {
      members++;
      if (holdsBackslash) backslashInName = true;
    }
  }
  return { members, values, unicodeEscapes, backslashInName };
}

/** `005c`, which encodes a backslash after `\u`. */
const isBackslashCode = (text: Uint8Array, at: number) =>
  text[at] === 0x30 &&
  text[at + 1] === 0x30 &&
  text[at + 2] === 0x35 &&
  ((text[at + 3] ?? 0) | 0x20) === 0x63;

/** Deeper than bodies need, and shallow enough for every recursive reader of the value. */
export const maxJsonDepth = 64;

/**
 * Whether a parsed text certainly contains nothing that JSON programs disagree about. After a duplicate name the value has
 * fewer members than the text has colons. False only means that `jsonFaults` has to check.
 */
export function isPlainJson(
  value: unknown,
  { members, unicodeEscapes }: Pick<JsonScan, 'members' | 'unicodeEscapes'>,
): boolean {
  return countMembers(value, 0, unicodeEscapes) === members;
}

/** NaN when a value inside must be checked by `jsonFaults`. */
function countMembers(value: unknown, depth: number, checkTexts: boolean): number {
  if (typeof value === 'string') return checkTexts && !isPlainText(value) ? Number.NaN : 0;
  if (typeof value === 'number')
    return Number.isSafeInteger(value) || (Number.isFinite(value) && !Number.isInteger(value))
      ? 0
      : Number.NaN;
  if (typeof value !== 'object' || value === null) return 0;
  if (depth > maxJsonDepth) return Number.NaN;
  let members = 0;
  if (Array.isArray(value)) {
    for (const item of value) members += countMembers(item, depth + 1, checkTexts);
    return members;
  }
  // Faster than the entries of an object with thousands of members.
  for (const name of Object.keys(value)) {
    if (checkTexts && !isPlainText(name)) return Number.NaN;
    const member: unknown = (value as Readonly<Record<string, unknown>>)[name];
    members += 1 + countMembers(member, depth + 1, checkTexts);
  }
  return members;
}

const isPlainText = (text: string) => text.isWellFormed() && !text.includes('\0');
