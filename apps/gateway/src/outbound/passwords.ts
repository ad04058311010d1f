import { randomBytes } from 'node:crypto';
import { Batcher } from '@agentlattice/service';
import argon2 from 'argon2';

/**
 * Argon2id takes 64 MiB and a tenth of a second for each password. One at a time in this process: a flood of sign-ins waits
 * or gets 503, and takes neither the memory nor the threads that other requests need.
 */
const queue = new Batcher<() => Promise<string | boolean>, string | boolean>(
  async (works) => [await works[0]?.()].flatMap((result) => (result === undefined ? [] : [result])),
  { most: 1, atOnce: 1, mostWaiting: 32, oldestMs: 5_000 },
);

/** @throws Unavailable when too many passwords wait to be hashed */
export async function hashPassword(password: string): Promise<string> {
  return String(await queue.do(() => argon2.hash(password)));
}

let nobodys: Promise<string> | undefined;

/**
 * Whether the password is the right one. Without a hash the work is the same and the answer is no, so the time does not tell
 * whether there is such an account.
 * @throws Unavailable when too many passwords wait to be hashed
 */
export async function isPassword(hash: string | null, password: string): Promise<boolean> {
  nobodys ??= argon2.hash(randomBytes(32));
  const known = hash ?? (await nobodys);
  const isRight = await queue.do(() => argon2.verify(known, password));
  return hash !== null && isRight === true;
}
