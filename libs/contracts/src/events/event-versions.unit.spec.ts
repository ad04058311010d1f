import { z } from 'zod';
import { makeEventDataReader, upcast } from './event-versions.js';

const v1 = z.strictObject({ name: z.string() });
const v2 = z.strictObject({ names: z.array(z.string()) });
const v3 = z.strictObject({ names: z.array(z.string()), count: z.number() });
const reader = makeEventDataReader({
  'thing.named': {
    owner: 'gateway',
    versions: { 1: v1, 2: v2, 3: v3 },
    upcasts: {
      1: upcast(v1, ({ name }) => ({ names: [name] })),
      2: upcast(v2, ({ names }) => ({ names, count: names.length })),
    },
  },
  'thing.wrong': {
    owner: 'gateway',
    versions: { 1: v1, 2: v2 },
    upcasts: { 1: upcast(v1, ({ name }) => ({ names: name })) },
  },
  'thing.stuck': { owner: 'gateway', versions: { 1: v1, 2: v2 } },
});
const read = (schema_version: number, data: unknown, type = 'thing.named') =>
  reader.read({ type, schema_version, data });

it('brings every older version to the newest, step by step', () => {
  const newest = { success: true, schemaVersion: 3, data: { names: ['a'], count: 1 } };
  expect(read(1, { name: 'a' })).toEqual(newest);
  expect(read(2, { names: ['a'] })).toEqual(newest);
  expect(read(3, { names: ['a'], count: 1 })).toEqual(newest);
});

it('writes the newest version, and has none for an unknown type', () => {
  expect(reader.newestVersion('thing.named')).toBe(3);
  expect(reader.newestVersion('constructor')).toBeNull();
});

it.each([
  ['an unknown type', read(1, {}, 'thing.other'), 'the event type thing.other is unknown'],
  ['an inherited name', read(1, {}, 'constructor'), 'the event type constructor is unknown'],
  ['a newer version', read(4, {}), 'thing.named has no version 4'],
  ['no version at all', read(0, {}), 'thing.named has no version 0'],
  ['data of another version', read(2, { name: 'a' }), 'thing.named version 2 has another form'],
  ['no data', read(1, null), 'thing.named version 1 has another form'],
  [
    'an upcast that does not give the next version',
    read(1, { name: 'a' }, 'thing.wrong'),
    'thing.wrong version 2 has another form',
  ],
  [
    'a version without an upcast',
    read(1, { name: 'a' }, 'thing.stuck'),
    'thing.stuck version 1 cannot be brought to the next one',
  ],
])('refuses %s', (_what, result, detail) => {
  expect(result).toEqual({ success: false, detail });
});
