import { readValue, typedValue, valueNote } from './condition-value.js';

describe('a value of a condition', () => {
  it.each([
    ['lte', '10', 10],
    ['eq', '-0.5', -0.5],
    ['eq', 'true', true],
    ['eq', 'null', null],
    ['eq', 'eu-1', 'eu-1'],
    ['eq', ' eu-1 ', 'eu-1'],
    ['eq', '"10"', '10'],
    ['eq', '" spaced "', ' spaced '],
    ['eq', '010', '010'],
    ['eq', '1_000', '1_000'],
    ['eq', '', ''],
    ['in', 'api, 3, true', ['api', 3, true]],
    ['in', '["a, b", "c"]', ['a, b', 'c']],
    ['in', '', []],
    ['starts_with', '10', '10'],
    ['matches', '^v1 ', '^v1 '],
    ['exists', 'true', true],
    ['exists', 'false', false],
  ] as const)('%s %j is read as %j', (operator, typed, value) =>
    expect(readValue(operator, typed)).toEqual(value),
  );

  it.each([
    ['eq', '10'],
    ['eq', 10],
    ['eq', true],
    ['eq', ''],
    ['eq', ' x '],
    ['eq', '"quoted"'],
    ['in', ['a', 3, 'true', '4']],
    ['in', ['a, b', 'c']],
    ['in', []],
    ['starts_with', '10'],
    ['ends_with', '"x"'],
    ['matches', ' ^a'],
    ['exists', false],
  ] as const)('%s %j comes back as it was after it was shown', (operator, value) => {
    const given = Array.isArray(value) ? [...(value as readonly string[])] : (value as string);
    expect(readValue(operator, typedValue(operator, given))).toEqual(value);
  });

  it('is said with its type, since a number and a text are never equal', () => {
    expect(valueNote('eq', '10')).toBe('the number 10');
    expect(valueNote('eq', '"10"')).toBe('the text “10”');
    expect(valueNote('in', 'a, 2')).toBe('one of the text “a”, the number 2');
    expect(valueNote('exists', 'true')).toBe('');
  });
});
