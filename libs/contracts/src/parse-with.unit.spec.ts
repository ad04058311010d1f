import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { z } from 'zod';
import { wakeHint } from './approval/approval.js';
import { approvalServiceCommands } from './commands/approval-service.js';
import { auditLedgerCommands } from './commands/audit-ledger.js';
import { gatewayCommands } from './commands/gateway.js';
import { notifierCommands } from './commands/notifier.js';
import { policyEngineCommands } from './commands/policy-engine.js';
import { compiledCheck } from './compiled-check.js';
import { commandError } from './errors.js';
import { eventRegistry, type EventType, eventTypes, isEventType } from './events/registry.js';
import { wireEventMessage } from './events/wire-event.js';
import { instant, typeId } from './primitives.js';
import { parseWith } from './parse-with.js';
import {
  appendItem,
  openItem,
  submissionAnswer,
  submissionItem,
  submissionUnavailable,
} from './submission/items.js';

type Json = null | boolean | number | string | Json[] | { [name: string]: Json };

/** The value after serialization: only such values are read. */
const received = (value: unknown): unknown =>
  value === undefined ? undefined : (JSON.parse(JSON.stringify(value)) as unknown);

/** zod is the reference: the same result, the same value, the same issues. */
function expectAsZod(schema: z.ZodType, value: unknown): void {
  const text = JSON.stringify(value);
  const [ours, zods] = [parseWith(schema, value), schema.safeParse(value)];
  expect(ours.success).toBe(zods.success);
  // Jest compares objects with a member `constructor` as different.
  if (ours.success) expect(isDeepStrictEqual(ours.data, zods.data)).toBe(true);
  else expect(ours.error.issues).toEqual(zods.error?.issues);
  expect(JSON.stringify(value)).toBe(text);
}

/** Values for each kind of schema that our messages are made of, mostly such as fit. */
function fitting(schema: z.core.$ZodType): fc.Arbitrary<unknown> {
  const { def } = (schema as z.core.$ZodTypes)._zod;
  switch (def.type) {
    case 'string': {
      if ('format' in def && def.format === 'datetime')
        return fc
          .date({ min: new Date(0), max: new Date('2090-01-01'), noInvalidDate: true })
          .map((date) => date.toISOString());
      const pattern = patternOf(def.checks ?? []);
      const texts = pattern === null ? fc.string({ maxLength: 60 }) : fc.constantFrom(...matching(pattern));
      return fc.oneof(texts, fc.constantFrom('30m', 'a', 'a@example.org', 'deploy.production', '\ud800'));
    }
    case 'number':
      return fc.oneof(fc.integer({ min: 1, max: 40 }), fc.integer(), fc.double({ noNaN: true }));
    case 'boolean':
      return fc.boolean();
    case 'enum':
    case 'literal':
      return fc.constantFrom(...(schema._zod.values ?? []));
    case 'nullable':
      return fc.oneof(fc.constant(null), fitting(def.innerType));
    case 'optional':
    case 'default':
      return fc.oneof(fc.constant(undefined), fitting(def.innerType));
    case 'array':
      return fc.array(fitting(def.element), { maxLength: 4 });
    case 'object':
      return fc.record(
        Object.fromEntries(Object.entries(def.shape).map(([name, member]) => [name, fitting(member)])),
      );
    case 'union':
      return fc.oneof(...def.options.map(fitting));
    case 'intersection':
      return fitting(def.right);
    case 'null':
      return fc.constant(null);
    default:
      return fc.dictionary(fc.string({ maxLength: 8 }), fc.jsonValue(), { maxKeys: 4 });
  }
}

function patternOf(checks: readonly z.core.$ZodCheck<never>[]): RegExp | null {
  for (const check of checks) {
    const { def } = (check as unknown as z.core.$ZodChecks)._zod;
    if (def.check === 'string_format' && def.format === 'regex') return def.pattern ?? null;
  }
  return null;
}

const known = new Map<string, string[]>();
function matching(pattern: RegExp): string[] {
  const texts = known.get(pattern.source) ?? fc.sample(fc.stringMatching(pattern), 5);
  known.set(pattern.source, texts);
  return texts;
}

/** Names that objects inherit, and one that replaces the prototype. */
const hostileNames = fc.constantFrom('__proto__', 'constructor', 'toString', 'hasOwnProperty', 'extra', '');
const hostileValues: fc.Arbitrary<unknown> = fc.oneof(
  fc.jsonValue(),
  fc.constantFrom(null, true, 0, -1, 1e308, 0.5, 2 ** 53, '', ' ', 'x'.repeat(5_000), '__proto__', [], {}),
  hostileNames.map((name) => JSON.parse(`{${JSON.stringify(name)}:{"a":1}}`) as unknown),
  fc
    .integer({ min: 1, max: 500 })
    .map((depth) => JSON.parse('['.repeat(depth) + ']'.repeat(depth)) as unknown),
);
interface Change {
  readonly at: number;
  readonly kind: 'replace' | 'remove' | 'add' | 'double';
  readonly name: string;
  readonly value: unknown;
}
const change: fc.Arbitrary<Change> = fc.record({
  /** Which of all places. */
  at: fc.nat(),
  kind: fc.constantFrom('replace' as const, 'remove' as const, 'add' as const, 'double' as const),
  name: hostileNames,
  value: hostileValues,
});

/** The text of the value with one place changed, as a hostile sender would write it. */
function changed(value: unknown, { at, kind, name, value: put }: Change): unknown {
  let left = at % Math.max(1, placesIn(value));
  const visit = (node: unknown): unknown => {
    if (left-- === 0) {
      if (kind === 'add' && typeof node === 'object' && node !== null && !Array.isArray(node)) {
        const text = JSON.stringify(node).slice(1, -1);
        return JSON.parse(`{${text}${text === '' ? '' : ','}${JSON.stringify(name)}:${JSON.stringify(put)}}`);
      }
      if (kind === 'double' && Array.isArray(node)) return [...(node as unknown[]), ...(node as unknown[])];
      return kind === 'remove' ? undefined : put;
    }
    if (Array.isArray(node)) return node.map(visit);
    if (typeof node !== 'object' || node === null) return node;
    return Object.fromEntries(Object.entries(node).map(([member, inner]) => [member, visit(inner)]));
  };
  const out = visit(value);
  return out === undefined ? undefined : received(out);
}
const placesIn = (value: unknown): number =>
  typeof value === 'object' && value !== null
    ? Object.values(value).reduce<number>((sum, inner) => sum + placesIn(inner), 1)
    : 1;

const messages: Record<string, z.ZodType> = {
  submissionItem,
  appendItem,
  openItem,
  submissionAnswer,
  submissionUnavailable,
  wakeHint,
  wireEventMessage,
  commandError,
};
for (const commands of [
  gatewayCommands,
  policyEngineCommands,
  approvalServiceCommands,
  auditLedgerCommands,
  notifierCommands,
])
  for (const command of Object.values(commands)) {
    messages[`${command.subject} request`] = command.request;
    messages[`${command.subject} response`] = command.response;
  }
for (const type of eventTypes) messages[type] = eventRegistry[type].versions[1];

it.each(Object.entries(messages))('%s is read as zod reads it, changed or not', (_name, schema) => {
  fc.assert(
    fc.property(fitting(schema), fc.array(change, { maxLength: 3 }), (value, changes) => {
      expectAsZod(schema, changes.reduce<unknown>(changed, received(value)));
    }),
    { numRuns: 20 },
  );
});

const leaf: fc.Arbitrary<z.ZodType> = fc.constantFrom<z.ZodType[]>(
  z.string(),
  z.string().min(2).max(4),
  z.string().trim(),
  z.string().regex(/a/g),
  z.string().startsWith('a'),
  z.coerce.string(),
  z.email(),
  typeId('org'),
  instant(),
  z.number(),
  z.number().int().min(1),
  z.int(),
  z.number().positive().lt(40),
  z.number().multipleOf(2),
  z.coerce.number(),
  z.boolean(),
  z.coerce.boolean(),
  z.null(),
  z.unknown(),
  z.never(),
  z.undefined(),
  z.literal([1, 'a', null]),
  z.enum(['a', 'b']),
  z.string().transform((text) => text.length),
  z.string().refine((text) => text.length > 1),
  z.custom((value) => value === 1),
  z.jwt(),
  z.record(z.string(), z.unknown()),
);
const names = fc.uniqueArray(fc.constantFrom('a', 'b', 'c', '__proto__', 'toString'), { maxLength: 3 });
const { schemas } = fc.letrec<{ schemas: z.ZodType }>((again) => ({
  schemas: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    leaf,
    again('schemas').map((inner) => inner.nullable()),
    again('schemas').map((inner) => inner.optional()),
    again('schemas').map((inner) => inner.default('a').optional()),
    again('schemas').map((inner) => inner.default('a')),
    again('schemas').map((inner) => inner.readonly()),
    again('schemas').map((inner) => z.array(inner).min(1).max(3)),
    again('schemas').map((inner) => z.record(z.string().min(2), inner)),
    again('schemas').map((inner) => z.record(z.string(), inner)),
    fc.tuple(again('schemas'), again('schemas')).map((options) => z.union(options)),
    fc
      .tuple(names, fc.array(again('schemas'), { minLength: 3, maxLength: 3 }), fc.nat(3))
      .map(([keys, members, kind]) => {
        const shape = Object.fromEntries(keys.map((key, i) => [key, members[i] ?? z.unknown()]));
        if (kind === 0) return z.object(shape);
        if (kind === 1) return z.strictObject(shape);
        if (kind === 2) return z.looseObject(shape);
        return z.object(shape).refine((value) => Object.keys(value).length !== 1);
      }),
    fc
      .tuple(again('schemas'), again('schemas'))
      .map(([a, b]) =>
        z.discriminatedUnion('kind', [
          z.object({ kind: z.literal('a'), value: a }),
          z.strictObject({ kind: z.literal(['b', 1]), other: b }),
        ]),
      ),
  ),
}));

it('any schema is read as zod reads it', () => {
  fc.assert(
    fc.property(
      schemas.chain((schema) =>
        fc.tuple(
          fc.constant(schema),
          fc.oneof(fitting(schema), hostileValues),
          fc.array(change, { maxLength: 2 }),
        ),
      ),
      ([schema, value, changes]) => expectAsZod(schema, changes.reduce<unknown>(changed, received(value))),
    ),
    { numRuns: 1_000 },
  );
});

const golden = join(import.meta.dirname, '..', 'golden', 'released');
const released = readdirSync(golden).flatMap((release) =>
  readdirSync(join(golden, release))
    .filter((name) => name.endsWith('.json'))
    .map((name) => JSON.parse(readFileSync(join(golden, release, name), 'utf8')) as Record<string, Json>),
);

it('messages between our services are not copied', () => {
  const event = released.filter(({ type }) => typeof type === 'string' && isEventType(type));
  const schemaOf = ({ type, schema_version }: Record<string, Json>): z.ZodType | undefined =>
    (eventRegistry[type as EventType].versions as Readonly<Record<number, z.ZodType>>)[
      Number(schema_version)
    ];
  const passing = event.filter((one) => {
    const schema = schemaOf(one);
    return schema !== undefined && compiledCheck(schema)(one['data']);
  });
  expect(passing).toHaveLength(event.length);
  expect(parseWith(wireEventMessage, { events: event.slice(0, 128) })).toMatchObject({ success: true });
  const one = { events: event.slice(0, 1) };
  const read = parseWith(wireEventMessage, one);
  expect(read.success && read.data).toBe(one);
});

it('members that the schema does not name are left out', () => {
  const schema = z.object({ id: z.string(), note: z.string().optional() });
  for (const text of [
    '{"id":"a","extra":1}',
    '{"id":"a","__proto__":{"note":"x"}}',
    '{"id":"a","constructor":1}',
    '{"id":"a","toString":1}',
  ])
    expect(parseWith(schema, JSON.parse(text))).toStrictEqual({ success: true, data: { id: 'a' } });
  expect(parseWith(schema, JSON.parse('{"__proto__":{"id":"a"}}')).success).toBe(false);
});
