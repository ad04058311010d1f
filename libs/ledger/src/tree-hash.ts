import { hash as sha256 } from 'node:crypto';

/** Length of every hash here, in bytes. */
export const hashBytes = 32;

/** SHA-256(0x00 ‖ bytes), RFC 6962 §2.1: one hash serves chain and tree. */
export function leafHash(bytes: Uint8Array): Buffer {
  const input = Buffer.allocUnsafe(bytes.length + 1);
  input[0] = 0;
  input.set(bytes, 1);
  return sha256('sha256', input, 'buffer');
}

/** SHA-256(0x01 ‖ left ‖ right), RFC 6962 §2.1. */
export function nodeHash(left: Uint8Array, right: Uint8Array): Buffer {
  const input = Buffer.allocUnsafe(1 + 2 * hashBytes);
  input[0] = 1;
  input.set(left, 1);
  input.set(right, 1 + hashBytes);
  return sha256('sha256', input, 'buffer');
}

/** Root of a tree without leaves, RFC 6962 §2.1. */
export const emptyRoot = (): Buffer => sha256('sha256', '', 'buffer');
