import fc from 'fast-check';
import { jsonFaults } from './json-faults.js';
import { isPlainJson, scanJson } from './json-scan.js';

/** As bodies are read: a text with a backslash in a name is not parsed, because V8 would read later texts wrongly. */
const isPlain = (text: string) => {
  const scan = scanJson(Buffer.from(text));
  return !scan.backslashInName && isPlainJson(JSON.parse(text), scan);
};

it.each([
  '{"a":1,"b":[1.5,-3,9007199254740991,"é😀"],"c":{"a":null}}',
  '{"a:b":"c:d,{[","e\\"":"\\\\","f":"\\u00e9\\ud83d\\ude00"}',
  '{"__proto__":{"constructor":1}}',
  '[{"a":1},{"a":2}]',
  '"text"',
  '{}',
])('%s needs no closer look', (text) => expect(isPlain(text)).toBe(true));

it.each([
  '{"a":1,"b":{"x":1,"x":2}}',
  '{"a":{"b":1},"\\u0061":{"c":1,"d":2}}',
  '{"__proto__":1,"__proto__":2}',
  '[1e400]',
  '{"a":9007199254740993}',
  '1.0e21',
  '{"\\udfff":1}',
  '{"m":{"s":"\\ud800"}}',
  '{"s":"a\\u0000b"}',
  '['.repeat(66) + ']'.repeat(66),
])('%s needs one', (text) => expect(isPlain(text)).toBe(false));

/** JSON texts with duplicate names, escapes of every kind, and unusual numbers. */
const jsonText = fc.letrec<{ value: string; object: string; array: string }>((tie) => {
  const text = fc
    .array(
      fc.constantFrom('a', ':', ',', '{', '\\"', '\\\\', '\\u0061', '\\ud800', '\\udc00', '\\u0000', 'é'),
      {
        maxLength: 4,
      },
    )
    .map((parts) => `"${parts.join('')}"`);
  const number = fc.constantFrom('0', '-1', '1.5', '1e400', '9007199254740993', '1e21', '1e2', '0.1e-7');
  const member = fc.tuple(text, tie('value')).map(([name, value]) => `${name}:${value}`);
  return {
    object: fc.array(member, { maxLength: 4 }).map((members) => `{${members.join(' , ')}}`),
    array: fc.array(tie('value'), { maxLength: 4 }).map((items) => `[${items.join(',')}]`),
    value: fc.oneof(
      { maxDepth: 4 },
      text,
      number,
      fc.constantFrom('true', 'null'),
      tie('object'),
      tie('array'),
    ),
  };
}).value;

it('a text that passes the quick check has no fault that the slow one finds', () => {
  fc.assert(
    fc.property(jsonText, (text) => {
      if (isPlain(text)) expect(jsonFaults(text)).toEqual([]);
    }),
    { numRuns: 2_000 },
  );
});

it('counts duplicate members, and nothing in strings', () =>
  expect(scanJson(Buffer.from('{"a:,{":[1,2],"b":{"b":1,"b":"\\":,\\\\"}}'))).toEqual({
    members: 4,
    values: 6,
    unicodeEscapes: false,
    backslashInName: false,
  }));

it.each([
  ['{"a\\\\":1}', true],
  ['{"\\u005Cb" : 1}', true],
  ['{"a":"\\\\","b":["\\\\"]}', false],
  ['{"a\\"b":1,"\\u005b":2}', false],
])('%s holds a backslash in a name: %s', (text, held) =>
  expect(scanJson(Buffer.from(text)).backslashInName).toBe(held),
);
