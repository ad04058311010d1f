import { z } from 'zod';
import { firstInvisibleCharacter } from './visible-text.js';

/**
 * Rules that JSON Schema cannot express, for the OpenAPI document: each is the `detail` of its fault, with `…` for the
 * variable part. A request that meets the schema can be refused only for one of these (e2e/openapi-conformance.e2e.spec.ts).
 */
export const rulesBeyondSchema = (...rules: string[]) => ({ 'x-rules': rules });

/** RFC 3339 instant; written by us in UTC with milliseconds, read with any offset (decisions §6). */
export const instant = () =>
  z.iso.datetime({ offset: true }).meta({ description: 'RFC 3339 date-time', format: 'date-time' });

/** An instant that a caller gives, converted to UTC; within the years that PostgreSQL and all programs support. */
export const givenInstant = () =>
  instant()
    .refine((text) => {
      const year = new Date(text).getUTCFullYear();
      return year >= 1 && year <= 9_999;
    }, 'must lie in the years 1 to 9999, in UTC')
    .meta(rulesBeyondSchema('must lie in the years 1 to 9999, in UTC'))
    .transform((text) => new Date(text).toISOString());

/**
 * A JSON object with every member it was sent with. (A record of zod leaves out a member named `__proto__`. The digest covers
 * it, so it must be shown to the person who approves.)
 */
export const jsonObject = () =>
  z
    .custom<Record<string, unknown>>(
      (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
      'must be an object',
    )
    .meta({ type: 'object', additionalProperties: {} });

/** TypeID: `<prefix>_` and 26 characters of base32-encoded UUIDv7. */
export const typeId = (prefix: IdPrefix) =>
  z
    .string()
    .regex(new RegExp(`^${prefix}_[0-7][0-9a-hjkmnp-tv-z]{25}$`))
    .meta({
      description: `TypeID with prefix ${prefix}`,
      examples: [`${prefix}_01jd7e5sqcfnmrq9yh4qvxw2k3`],
    });

export const idPrefixes = [
  'apr',
  'evt',
  'pol',
  'agt',
  'del',
  'org',
  'chn',
  'dlv',
  'mbr',
  'key',
  'req',
  'ses',
] as const;
export type IdPrefix = (typeof idPrefixes)[number];

/**
 * Text that is shown within other text: it has only visible characters and no line break, so people see exactly what programs
 * compare.
 */
export const plainText = () =>
  z
    .string()
    .refine((text) => firstInvisibleCharacter(text) === undefined, {
      error: ({ input }) =>
        `holds the character ${firstInvisibleCharacter(String(input)) ?? ''}, which is not seen or changes how the text is shown`,
    })
    .meta(rulesBeyondSchema('holds the character …, which is not seen or changes how the text is shown'));

/** A new name. Stored names are not checked by it: older names may have another form. */
export const givenName = () =>
  plainText()
    .trim()
    .min(1)
    .max(120)
    // Spaces around a name do not count.
    .meta({ pattern: '[^ ]' });
/** A short text of an administrator that people read beside requests. */
export const givenNotice = () =>
  plainText().trim().min(1).max(80).meta({
    pattern: '[^ ]',
    description: 'A warning that people read beside every request of the policy',
  });
/** A group of members that a policy can name. */
export const givenGroup = () => plainText().min(1).max(120);

/** Dot-notation, ≤ 255 characters: letters, digits, `_`, `-`, `:` and `/` between the dots. */
export const actionType = () =>
  z
    .string()
    .min(1)
    .max(255)
    .regex(/^[A-Za-z0-9_:/-]+(\.[A-Za-z0-9_:/-]+)*$/, 'dot-notation, such as deploy.production')
    .meta({ description: 'Dot-notation name of the action', examples: ['deploy.production'] });

/** An exact action type, `prefix.*` (everything below the prefix) or `*`. */
export const actionPattern = () =>
  z
    .string()
    .min(1)
    .max(255)
    .regex(
      /^(\*|[A-Za-z0-9_:/-]+(\.[A-Za-z0-9_:/-]+)*(\.\*)?)$/,
      'an exact action type, a prefix followed by .*, or *',
    )
    .meta({ description: 'Exact action type, `prefix.*` or `*`; the most specific match wins' });

const unitMs = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
/** Longest duration a policy may name: 30 days. */
export const maxDurationMs = 30 * unitMs.d;

/** Milliseconds of a duration such as `90s`, `30m`, `8h`, `1h30m`; null for any other text. */
export function durationMs(text: string): number | null {
  if (!/^(\d{1,9}(ms|s|m|h|d))+$/.test(text)) return null;
  let total = 0;
  for (const [, amount, unit] of text.matchAll(/(\d+)(ms|s|m|h|d)/g))
    total += Number(amount) * unitMs[unit as keyof typeof unitMs];
  return total;
}

/** A positive duration of at most 30 days; `0s` and negative ones are refused (contract §8). */
export const duration = () =>
  z
    .string()
    .max(40)
    .refine((text) => {
      const ms = durationMs(text);
      return ms !== null && ms > 0 && ms <= maxDurationMs;
    }, 'a positive duration such as 90s, 30m or 8h, at most 30d')
    .meta({
      description: 'Duration',
      examples: ['90s', '30m', '8h'],
      pattern: '^([0-9]{1,9}(ms|s|m|h|d))+$',
      ...rulesBeyondSchema('a positive duration such as 90s, 30m or 8h, at most 30d'),
    });

export const sha256Hex = () => z.string().regex(/^[0-9a-f]{64}$/);
/** base64url of 32 bytes, no padding. */
export const digest = () => z.string().regex(/^[A-Za-z0-9_-]{43}$/);
/** W3C trace context, level 1. */
export const traceparent = () => z.string().regex(/^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/);

/** A number in a query: digits only, so that `0x10`, `1e2`, white space and the empty text are refused. */
export const queryNumber = (min: number, max: number, fallback: number) =>
  z
    .preprocess(
      (given) => (typeof given !== 'string' || /^\d{1,15}$/.test(given) ? given : Number.NaN),
      z.coerce
        .number(`a whole number from ${String(min)} to ${String(max)}`)
        .int()
        .min(min)
        .max(max),
    )
    .default(fallback);
export const limit = (max: number, fallback: number) => queryNumber(1, max, fallback);
export const cursor = () =>
  z
    .string()
    .min(1)
    .max(512)
    .regex(/^[A-Za-z0-9_-]+$/, 'is not a next_cursor of this list')
    .meta({
      description: 'Opaque position from next_cursor',
      ...rulesBeyondSchema('is not a next_cursor of this list'),
    });

/** A new mail address, with the lengths of RFC 5321 §4.5.3.1. Stored addresses are not checked by it. */
export const givenEmail = () =>
  z
    .email({
      pattern:
        /^(?=[^@]{1,64}@)(?:[A-Za-z0-9_'+-]+\.)*[A-Za-z0-9_'+-]*[A-Za-z0-9_+-]@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z]{2,63}$/,
    })
    .max(254);

/** Who caused a change. `via` names the client (contract §8). */
export const actor = z.strictObject({
  kind: z.enum(['operator', 'service', 'agent', 'system']),
  id: z.string().nullable().meta({ description: 'member, key or agent; null for the system' }),
  key_id: z.string().nullable(),
  via: z.enum(['api', 'dashboard', 'mcp', 'cli', 'slack', 'email', 'system']),
});
export type Actor = z.infer<typeof actor>;

export const operatorRoles = ['viewer', 'member', 'admin'] as const;
export type OperatorRole = (typeof operatorRoles)[number];

export const serviceScopes = [
  'agents:register',
  'policies:read',
  'policies:write',
  'grants:consume',
] as const;
export type ServiceScope = (typeof serviceScopes)[number];
