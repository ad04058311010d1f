import { hash as sha256 } from 'node:crypto';
import { type PrivateField, privateFields } from './entry.js';

const label = Buffer.from('al-priv-v1\0');
/** Shortest salt, in bytes: a guess at the value must not be checkable after the salt is erased. */
export const minSaltBytes = 16;

/**
 * Commitment to an erasable value: lower-case hex of SHA-256("al-priv-v1\0" ‖ salt ‖ `["field",value]`).
 * @param canonicalValue RFC 8785 text of the value; it is concatenated, never parsed and written again
 * @throws RangeError for a short salt or a field that cannot be committed to
 */
export function commit(field: PrivateField, salt: Uint8Array | string, canonicalValue: string): string {
  if (!privateFields.includes(field)) throw new RangeError(`${String(field)} is no private field`);
  const saltBytes = typeof salt === 'string' ? saltFromHex(salt) : salt;
  if (saltBytes.length < minSaltBytes)
    throw new RangeError(`salt must have at least ${String(minSaltBytes)} bytes`);
  const value = `["${field}",${canonicalValue}]`;
  const prefix = label.length + saltBytes.length;
  const input = Buffer.allocUnsafe(prefix + Buffer.byteLength(value));
  input.set(label);
  input.set(saltBytes, label.length);
  input.write(value, prefix);
  return sha256('sha256', input, 'hex');
}

function saltFromHex(hex: string): Buffer {
  if (!/^([0-9a-f]{2})*$/.test(hex)) throw new RangeError('salt must be lower-case hex');
  return Buffer.from(hex, 'hex');
}
