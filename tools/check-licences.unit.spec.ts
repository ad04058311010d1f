import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fits, licencesOf } from './check-licences.mjs';

describe('the licences of packages', () => {
  it('all fit', () => {
    const lock: unknown = JSON.parse(
      readFileSync(join(import.meta.dirname, '..', 'package-lock.json'), 'utf8'),
    );
    const all = licencesOf(lock);
    expect(all.length).toBeGreaterThan(500);
    expect(all.filter((one) => !one.fits)).toEqual([]);
  });

  it.each([
    ['MIT', true],
    ['(MIT OR GPL-3.0)', true],
    ['MIT AND Apache-2.0', true],
    ['MIT AND GPL-3.0', false],
    ['GPL-3.0', false],
    ['none', false],
    ['((MIT OR GPL-3.0) AND GPL-2.0)', false],
  ])('%s fits: %s', (expression, wanted) =>
    expect(fits(expression, new Set(['MIT', 'Apache-2.0']))).toBe(wanted),
  );

  it('of tools may be others than those of what is shipped', () => {
    const of = (dev: boolean) => ({ version: '1.0.0', license: 'MPL-2.0', dev });
    const packages = {
      '': {},
      'node_modules/a': of(true),
      'node_modules/b/node_modules/c': of(false),
      'libs/d': {},
    };
    expect(licencesOf({ packages }).map(({ name, fits }) => [name, fits])).toEqual([
      ['a', true],
      ['c', false],
    ]);
  });
});
