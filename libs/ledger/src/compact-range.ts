import { emptyRoot, hashBytes, nodeHash } from './tree-hash.js';

/**
 * The frontier of a tree: the roots of its complete subtrees from left to right, largest first, one for each bit set in
 * `size`. Immutable, so that after a failed commit the old value is still valid.
 */
export interface CompactRange {
  readonly size: number;
  readonly hashes: readonly Buffer[];
}

export const emptyRange: CompactRange = { size: 0, hashes: [] };

/** The range with one more leaf; the given one is unchanged. */
export function appendLeaf(range: CompactRange, leaf: Buffer): CompactRange {
  const hashes = range.hashes.slice();
  let node = leaf;
  for (let rest = range.size; rest % 2 === 1; rest = (rest - 1) / 2) {
    const left = hashes.pop();
    if (left === undefined) throw new RangeError('range has fewer hashes than its size says');
    node = nodeHash(left, node);
  }
  hashes.push(node);
  return { size: range.size + 1, hashes };
}

/** RFC 6962 root hash of all leaves in the range. */
export function rootOf(range: CompactRange): Buffer {
  const last = range.hashes.at(-1);
  if (last === undefined) return emptyRoot();
  return range.hashes.slice(0, -1).reduceRight<Buffer>((root, left) => nodeHash(left, root), last);
}

/** The concatenated hashes, 32 bytes each. */
export const encodeRange = (range: CompactRange): Buffer => Buffer.concat(range.hashes);

/**
 * Reads a range back.
 * @throws RangeError when the bytes do not fit the size
 */
export function decodeRange(size: number, bytes: Uint8Array): CompactRange {
  let wanted = 0;
  for (let rest = size; rest > 0; rest = Math.floor(rest / 2)) wanted += rest % 2;
  if (!Number.isSafeInteger(size) || size < 0 || bytes.length !== wanted * hashBytes)
    throw new RangeError('frontier does not fit the size of the log');
  const hashes = Array.from({ length: wanted }, (_, i) =>
    Buffer.from(bytes.slice(i * hashBytes, (i + 1) * hashBytes)),
  );
  return { size, hashes };
}

/** Root of a list of leaf hashes. */
export const rootOfLeaves = (leaves: Iterable<Buffer>): Buffer => {
  let range = emptyRange;
  for (const leaf of leaves) range = appendLeaf(range, leaf);
  return rootOf(range);
};
