import { randomBytes } from 'node:crypto';
import { minSaltBytes } from '@agentlattice/ledger';

const drawnTogether = 256;

/**
 * Salts for commitments, in hex. The system is asked for many at a time, which costs as much as one; each of its bytes is
 * in one salt and no longer here once it was handed out.
 */
export function saltSource(draw: (bytes: number) => Buffer = randomBytes): () => string {
  let drawn: Buffer = Buffer.alloc(0);
  let at = 0;
  return () => {
    if (at === drawn.length) {
      drawn = draw(drawnTogether * minSaltBytes);
      at = 0;
    }
    const salt = drawn.toString('hex', at, at + minSaltBytes);
    drawn.fill(0, at, at + minSaltBytes);
    at += minSaltBytes;
    return salt;
  };
}
