import { randomBytes } from 'node:crypto';
import { minSaltBytes } from '@agentlattice/ledger';
import { saltSource } from './salt-source.js';

it('uses each random byte in one salt, in order, and erases it', () => {
  const draws: Buffer[] = [];
  const copies: Buffer[] = [];
  const newSalt = saltSource((bytes) => {
    const drawn = randomBytes(bytes);
    draws.push(drawn);
    copies.push(Buffer.from(drawn));
    return drawn;
  });
  const salts: string[] = [];
  for (let i = 0; i < 700; i++) {
    salts.push(newSalt());
    const [used, last] = [salts.join(''), draws.at(-1)];
    const usedOfLast = used.length / 2 - copies.slice(0, -1).reduce((sum, { length }) => sum + length, 0);
    expect(last?.subarray(0, usedOfLast)).toEqual(Buffer.alloc(usedOfLast));
  }
  expect(draws).toHaveLength(3);
  expect(Buffer.concat(copies).toString('hex').startsWith(salts.join(''))).toBe(true);
  expect(salts.every((salt) => salt.length === 2 * minSaltBytes)).toBe(true);
});

it('reads the system’s randomness, so that no two salts are the same', () => {
  const newSalt = saltSource();
  const salts = new Set(Array.from({ length: 2_000 }, newSalt));
  expect(salts.size).toBe(2_000);
});
