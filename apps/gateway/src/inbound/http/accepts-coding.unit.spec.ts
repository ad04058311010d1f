import { acceptsCoding } from './accepts-coding.js';

describe('acceptsCoding', () => {
  it.each([
    ['gzip, deflate, br', 'br', true],
    ['gzip', 'br', false],
    ['BR;q=1.0', 'br', true],
    ['br;q=0', 'br', false],
    ['br; q=0.0, gzip', 'br', false],
    ['*', 'gzip', true],
    ['*', 'br', false],
    ['gzip;q=0.01', 'gzip', true],
    [undefined, 'gzip', false],
  ] as const)('%s: %s is %s', (header, coding, accepted) => {
    expect(acceptsCoding(header, coding)).toBe(accepted);
  });
});
