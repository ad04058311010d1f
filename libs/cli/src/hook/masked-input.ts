import { createHash, createHmac } from 'node:crypto';
import canonicalize from 'canonicalize';
import { RE2JS } from 're2js';
import type { Rules } from './rules.js';
import type { Json, JsonObject } from './tool-call.js';

/** Longer texts are sent by their begin and their digest: a request holds at most 256 KiB. */
const longestText = 16_384;
const shownOfLong = 4_096;

/**
 * The input as it is sent. A value that is not sent is replaced by its HMAC under the key of the agent, so that the request
 * stays bound to it, and the reader of a request cannot find it by trying.
 */
export function maskedInput(input: JsonObject, { mask, mask_text }: Rules, apiKey: string): JsonObject {
  const names = new Set(mask.map((name) => name.toLowerCase()));
  const expressions = mask_text.map((text) => RE2JS.compile(text));
  const hmac = (text: string) => createHmac('sha256', apiKey).update(text).digest('hex').slice(0, 32);
  const masked = (value: Json): Json => {
    if (typeof value === 'string') return bounded(withoutMatches(value));
    if (value === null || typeof value !== 'object') return value;
    if (Array.isArray(value)) return value.map((one: Json) => masked(one));
    return object(value as JsonObject);
  };
  const object = (value: JsonObject): JsonObject =>
    Object.fromEntries(
      Object.entries(value).map(([name, member]) => [
        name,
        names.has(name.toLowerCase()) ? { masked: hmac(canonicalize(member) ?? '') } : masked(member),
      ]),
    );
  const withoutMatches = (text: string) => {
    let rest = text;
    for (const expression of expressions) {
      const matcher = expression.matcher(rest);
      let [kept, from] = ['', 0];
      while (matcher.find()) {
        const [start, end] = [matcher.start(), matcher.end()];
        if (end === start) continue;
        kept += `${rest.slice(from, start)}[masked ${hmac(rest.slice(start, end))}]`;
        from = end;
      }
      rest = kept + rest.slice(from);
    }
    return rest;
  };
  return object(input);
}

const bounded = (text: string): Json =>
  text.length <= longestText
    ? text
    : {
        begins: wholeCharacters(text.slice(0, shownOfLong)),
        characters: text.length,
        sha256: createHash('sha256').update(text, 'utf8').digest('hex'),
      };

/** Without half of a pair of surrogates at the end. */
const wholeCharacters = (text: string) => (/[\ud800-\udbff]$/.test(text) ? text.slice(0, -1) : text);
