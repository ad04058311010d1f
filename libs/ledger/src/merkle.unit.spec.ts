import { createHash } from 'node:crypto';
import fc from 'fast-check';
import {
  appendLeaf,
  consistencyProof,
  decodeRange,
  emptyRange,
  encodeRange,
  inclusionProof,
  leafHash,
  rootOf,
  rootOfLeaves,
  verifyConsistency,
  verifyInclusion,
} from './index.js';

// RFC 6962 §2.1 literally, without our code.
const sha256 = (...parts: Uint8Array[]) => createHash('sha256').update(Buffer.concat(parts)).digest();
const split = (n: number) => {
  let k = 1;
  while (k * 2 < n) k *= 2;
  return k;
};
function mth(d: readonly Buffer[]): Buffer {
  const [only] = d;
  if (only === undefined) return sha256();
  if (d.length === 1) return sha256(Buffer.of(0), only);
  const k = split(d.length);
  return sha256(Buffer.of(1), mth(d.slice(0, k)), mth(d.slice(k)));
}
function path(m: number, d: readonly Buffer[]): Buffer[] {
  if (d.length === 1) return [];
  const k = split(d.length);
  return m < k
    ? [...path(m, d.slice(0, k)), mth(d.slice(k))]
    : [...path(m - k, d.slice(k)), mth(d.slice(0, k))];
}
function subproof(m: number, d: readonly Buffer[], b: boolean): Buffer[] {
  if (m === d.length) return b ? [] : [mth(d)];
  const k = split(d.length);
  return m <= k
    ? [...subproof(m, d.slice(0, k), b), mth(d.slice(k))]
    : [...subproof(m - k, d.slice(k), false), mth(d.slice(0, k))];
}

const anyLog = (minLength = 1) =>
  fc
    .array(fc.uint8Array({ maxLength: 8 }), { minLength, maxLength: 40 })
    .map((list) => list.map((b) => Buffer.from(b)));

describe('the tree', () => {
  it('has the root of RFC 6962', () =>
    fc.assert(
      fc.property(anyLog(0), (log) => {
        expect(rootOfLeaves(log.map(leafHash))).toEqual(mth(log));
      }),
    ));

  it('has the inclusion proofs of RFC 6962, which verify only their own leaf', () =>
    fc.assert(
      fc.property(anyLog(), fc.nat(), fc.nat(), (log, a, b) => {
        const size = 1 + (a % log.length);
        const index = b % size;
        const leaves = log.map(leafHash);
        const proof = inclusionProof(leaves, index, size);
        expect(proof).toEqual(path(index, log.slice(0, size)));
        const claim = {
          index,
          size,
          leaf: leafHash(log[index] ?? Buffer.of()),
          root: mth(log.slice(0, size)),
        };
        expect(verifyInclusion(claim, proof)).toBe(true);
        expect(verifyInclusion({ ...claim, leaf: leafHash(Buffer.from('no such entry')) }, proof)).toBe(
          false,
        );
        expect(verifyInclusion({ ...claim, index: size }, proof)).toBe(false);
        expect(verifyInclusion(claim, [...proof, claim.leaf])).toBe(false);
      }),
    ));

  it('has the consistency proofs of RFC 6962, which verify only their own trees', () =>
    fc.assert(
      fc.property(anyLog(), fc.nat(), fc.nat(), (log, a, b) => {
        const to = 1 + (a % log.length);
        const from = 1 + (b % to);
        const proof = consistencyProof(log.map(leafHash), from, to);
        expect(proof).toEqual(subproof(from, log.slice(0, to), true));
        const claim = { from, to, fromRoot: mth(log.slice(0, from)), toRoot: mth(log.slice(0, to)) };
        expect(verifyConsistency(claim, proof)).toBe(true);
        expect(verifyConsistency({ ...claim, fromRoot: mth([Buffer.from('other')]) }, proof)).toBe(false);
        expect(verifyConsistency(claim, [...proof, claim.toRoot])).toBe(false);
      }),
    ));

  it('grows from its stored frontier in the same way as from all its leaves', () =>
    fc.assert(
      fc.property(anyLog(), (log) => {
        let range = emptyRange;
        for (const leaf of log.map(leafHash))
          range = appendLeaf(decodeRange(range.size, encodeRange(range)), leaf);
        expect(rootOf(range)).toEqual(mth(log));
      }),
    ));

  it('refuses proofs outside of it and a frontier that does not fit', () => {
    const leaves = [Buffer.alloc(32)];
    expect(() => inclusionProof(leaves, 1, 1)).toThrow(RangeError);
    expect(() => consistencyProof(leaves, 0, 1)).toThrow(RangeError);
    expect(() => consistencyProof(leaves, 1, 2)).toThrow(RangeError);
    expect(() => decodeRange(3, Buffer.alloc(32))).toThrow(RangeError);
  });
});
