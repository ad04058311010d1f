import { randomBytes } from 'node:crypto';
import { minSaltBytes } from '@agentlattice/ledger';

const saltsPerDraw = 256;

/**
 * Salts for commitments, in hex. Random bytes are read in large blocks, which costs as much as one salt; each byte is used in
 * one salt and then erased.
 */
export function saltSource(draw: (bytes: number) => Buffer = randomBytes): () => string {
  let drawn: Buffer = Buffer.alloc(0);
  let at = 0;
  return () => {
    if (at === drawn.length) {
      drawn = draw(saltsPerDraw * minSaltBytes);
      at = 0;
    }
    const salt = drawn.toString('hex', at, at + minSaltBytes);
    drawn.fill(0, at, at + minSaltBytes);
    at += minSaltBytes;
    return salt;
  };
}
