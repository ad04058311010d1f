import { placeFaults } from './faults.js';

const known = (pointer: string) =>
  ['/name', '/conditions'].some((field) => pointer === field || pointer.startsWith(`${field}/`));

describe('faults of a form', () => {
  it('stand at their fields by JSON pointer', () => {
    const faults = placeFaults(
      [
        { pointer: '/name', detail: 'is empty' },
        { pointer: '/conditions/0/value', detail: 'is one value' },
        { pointer: '/conditions/0/value', detail: 'is a number' },
      ],
      known,
    );
    expect(faults.at('/name')).toBe('is empty');
    expect(faults.at('/conditions/0/value')).toBe('is one value; is a number');
    expect(faults.below('/conditions/0')).toEqual(['is one value; is a number']);
    expect(faults.at('/conditions/1/value')).toBeUndefined();
    expect(faults.rest).toEqual([]);
  });

  it('are shown above the form when it has no such field, so that none is lost', () =>
    expect(
      placeFaults(
        [{ pointer: '/mode', detail: 'is not built' }, { detail: 'is too large' }, { pointer: '/a~1b' }],
        known,
      ).rest,
    ).toEqual(['mode is not built', 'is too large', 'a/b is not right']));
});
