import { jsonFaults } from './json-faults.js';

it.each([
  ['{"a":1,"b":[1.5,-3,9007199254740991,"é😀"],"c":{"a":null}}', []],
  ['{"a":1,"b":{"x":1,"x":2}}', ['/b/x']],
  ['{"a/b":9007199254740993}', ['/a~1b']],
  ['[1e400]', ['/0']],
  ['{"m":{"s":"\\ud800"}}', ['/m/s']],
  ['{"\\udfff":1}', ['/\udfff']],
  ['{"s":"a\\u0000b"}', ['/s']],
  ['{"__proto__":1,"__proto__":2}', ['/__proto__']],
  ['{"a":[{"b\\\\":1}]}', ['/a/0/b\\']],
  ['1.0e21', []],
  ['[12345678901234567890e0]', ['/0']],
])('%s has faults at %j', (text, pointers) =>
  expect(jsonFaults(text).map((f) => f.pointer)).toEqual(pointers),
);

it('stops at nesting that is too deep', () => {
  const faults = jsonFaults('['.repeat(100) + ']'.repeat(100));
  expect(faults).toHaveLength(1);
  expect(faults[0]?.detail).toContain('nested');
});

it('accepts the same name in different objects', () => expect(jsonFaults('[{"a":1},{"a":2}]')).toEqual([]));
