import { compared } from './comparison.js';
import { excerptOf } from './excerpt.js';
import { fieldsOf, isMasked, labelOf, orderedFields, valueAt, valueText } from './fields.js';

const labels = (fields: readonly { label: string }[]) => fields.map(({ label }) => label);

it('finds the leaves of nested objects; lists and empty objects are leaves', () => {
  expect(fieldsOf({ a: 1, b: { c: [1, 2], d: {} } })).toEqual([
    { pointer: '/metadata/a', label: 'a', value: 1 },
    { pointer: '/metadata/b/c', label: 'b.c', value: [1, 2] },
    { pointer: '/metadata/b/d', label: 'b.d', value: {} },
  ]);
});

it('folds what is deeper than six levels', () => {
  const deep = { a: { b: { c: { d: { e: { f: { g: 1 } } } } } } };
  expect(fieldsOf(deep)).toEqual([
    { pointer: '/metadata/a/b/c/d/e/f', label: 'a.b.c.d.e.f', value: { g: 1 } },
  ]);
});

it('puts the fields of conditions first, in their order', () => {
  const metadata = { region: 'eu', change: { count: 14 }, amount: 2 };
  const conditions = [{ field: 'amount' }, { field: 'change.count' }, { field: 'missing' }];
  expect(labels(orderedFields(metadata, conditions))).toEqual(['amount', 'change.count', 'region']);
});

it('escapes pointers, reads values by them, and takes no inherited property', () => {
  const metadata = { 'a/b': { '~c': 'x' } };
  const [field] = fieldsOf(metadata);
  expect(field?.pointer).toBe('/metadata/a~1b/~0c');
  expect(labelOf('/metadata/a~1b/~0c')).toBe('a/b.~c');
  expect(valueAt({ metadata }, '/metadata/a~1b/~0c')).toBe('x');
  expect(valueAt({ metadata }, '/metadata/constructor')).toBeUndefined();
});

it('shows texts as they are and other values as JSON', () => {
  expect(['5', 5, null, true, [1], undefined].map(valueText)).toEqual([
    '5',
    '5',
    'null',
    'true',
    '[\n  1\n]',
    '',
  ]);
});

it('hides a masked value and everything below it', () => {
  expect(isMasked('/metadata/auth/token', ['/metadata/auth'])).toBe(true);
  expect(isMasked('/metadata/authors', ['/metadata/auth'])).toBe(false);
});

it('compares with the last approved request: changed first, then what is gone, then the rest', () => {
  const rows = compared(fieldsOf({ same: 1, version: '2', extra: 3 }), [
    { field: '/metadata/version', was: '1', change: 'changed', masked: false },
    { field: '/metadata/extra', was: null, change: 'added', masked: false },
    { field: '/metadata/gone', was: 9, change: 'removed', masked: false },
  ]);
  expect(
    rows.map(({ label, isChanged, isAdded, isRemoved, was }) => [label, isChanged, isAdded, isRemoved, was]),
  ).toEqual([
    ['version', true, false, false, '1'],
    ['extra', true, true, false, null],
    ['gone', true, false, true, 9],
    ['same', false, false, false, 1],
  ]);
});

describe('an excerpt', () => {
  it('is the whole text when that is short', () => {
    expect(excerptOf('one\ntwo')).toMatchObject({ head: 'one\ntwo', tail: '', omitted: 0, lines: 2 });
  });

  it('has the begin, the end, and the number of characters between', () => {
    const text = [...Array.from({ length: 37 }, (_, i) => `line ${String(i)}`), 'DROP TABLE users;'].join(
      '\n',
    );
    const { head, tail, omitted, characters, lines } = excerptOf(text);
    expect(head.split('\n')).toHaveLength(5);
    expect(tail.endsWith('DROP TABLE users;')).toBe(true);
    expect(lines).toBe(38);
    expect(head.length + tail.length + omitted).toBe(characters);
  });

  it('cuts one long line by characters', () => {
    const { head, tail, characters } = excerptOf('x'.repeat(12_480));
    expect([head.length, tail.length, characters]).toEqual([400, 120, 12_480]);
  });
});
