import { rootOfLeaves } from './compact-range.js';
import { nodeHash } from './tree-hash.js';

/** The largest power of two below `size` (size > 1). */
function split(size: number): number {
  let k = 1;
  while (k * 2 < size) k *= 2;
  return k;
}

const rootBetween = (leaves: readonly Buffer[], from: number, to: number) =>
  rootOfLeaves(leaves.slice(from, to));

/**
 * Audit path of leaf `index` in the tree of the first `size` leaves (RFC 6962 §2.1.1), nearest sibling first.
 * @throws RangeError when index or size lies outside the leaves
 */
export function inclusionProof(leaves: readonly Buffer[], index: number, size: number): Buffer[] {
  if (!(index >= 0 && index < size && size <= leaves.length))
    throw new RangeError('index lies outside the tree');
  const path = (from: number, to: number): Buffer[] => {
    if (to - from === 1) return [];
    const middle = from + split(to - from);
    return index < middle
      ? [...path(from, middle), rootBetween(leaves, middle, to)]
      : [...path(middle, to), rootBetween(leaves, from, middle)];
  };
  return path(0, size);
}

/**
 * Consistency proof from the first `from` leaves to the first `to` (RFC 6962 §2.1.2).
 * @throws RangeError unless 0 < from ≤ to ≤ leaves
 */
export function consistencyProof(leaves: readonly Buffer[], from: number, to: number): Buffer[] {
  if (!(from > 0 && from <= to && to <= leaves.length)) throw new RangeError('sizes lie outside the tree');
  const proof = (old: number, start: number, end: number, whole: boolean): Buffer[] => {
    if (old === end) return whole ? [] : [rootBetween(leaves, start, end)];
    const middle = start + split(end - start);
    return old <= middle
      ? [...proof(old, start, middle, whole), rootBetween(leaves, middle, end)]
      : [...proof(old, middle, end, false), rootBetween(leaves, start, middle)];
  };
  return proof(from, 0, to, true);
}

/** Whether `hashes` prove that `leaf` is number `index` of the tree with this size and root (RFC 9162 §2.1.3.2). */
export function verifyInclusion(
  claim: { index: number; size: number; leaf: Buffer; root: Buffer },
  hashes: readonly Buffer[],
): boolean {
  const { index, size, leaf, root } = claim;
  if (!(Number.isSafeInteger(index) && index >= 0 && Number.isSafeInteger(size) && index < size))
    return false;
  let position = index;
  let last = size - 1;
  let node = leaf;
  for (const sibling of hashes) {
    if (last === 0) return false;
    if (position % 2 === 1 || position === last) {
      node = nodeHash(sibling, node);
      while (position % 2 === 0 && position !== 0) [position, last] = [half(position), half(last)];
    } else {
      node = nodeHash(node, sibling);
    }
    [position, last] = [half(position), half(last)];
  }
  return last === 0 && node.equals(root);
}

/** Whether `hashes` prove that the tree of size `from` is the beginning of the tree of size `to` (RFC 9162 §2.1.4.2). */
export function verifyConsistency(
  claim: { from: number; to: number; fromRoot: Buffer; toRoot: Buffer },
  hashes: readonly Buffer[],
): boolean {
  const { from, to, fromRoot, toRoot } = claim;
  if (!(Number.isSafeInteger(from) && Number.isSafeInteger(to) && from > 0 && from <= to)) return false;
  if (from === to) return hashes.length === 0 && fromRoot.equals(toRoot);
  const path = isPowerOfTwo(from) ? [fromRoot, ...hashes] : [...hashes];
  let position = from - 1;
  let last = to - 1;
  while (position % 2 === 1) [position, last] = [half(position), half(last)];
  const first = path.shift();
  if (first === undefined) return false;
  let older = first;
  let newer = first;
  for (const sibling of path) {
    if (last === 0) return false;
    if (position % 2 === 1 || position === last) {
      older = nodeHash(sibling, older);
      newer = nodeHash(sibling, newer);
      while (position % 2 === 0 && position !== 0) [position, last] = [half(position), half(last)];
    } else {
      newer = nodeHash(newer, sibling);
    }
    [position, last] = [half(position), half(last)];
  }
  return last === 0 && older.equals(fromRoot) && newer.equals(toRoot);
}

const half = (n: number) => Math.floor(n / 2);
const isPowerOfTwo = (n: number) => Number.isInteger(Math.log2(n)) && 2 ** Math.round(Math.log2(n)) === n;
