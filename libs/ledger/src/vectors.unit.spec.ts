import { readFileSync } from 'node:fs';
import {
  commit,
  consistencyProof,
  type Disclosed,
  encodeEntry,
  formatCheckpoint,
  inclusionProof,
  leafHash,
  noteSigner,
  openNote,
  parseCheckpoint,
  parseEntry,
  parseVerifierKey,
  privateFields,
  rootOfLeaves,
  verifyConsistency,
  verifyInclusion,
  verifyLedger,
} from './index.js';
import { testKey } from '../test/sample-log.js';

// The files in testdata are frozen: these tests read them and never write them.
const read = (name: string) => readFileSync(new URL(`../testdata/${name}`, import.meta.url));
const text = (name: string) => read(name).toString('utf8');
const entries = text('log.ndjson')
  .split('\n')
  .slice(0, -1)
  .map((line) => Buffer.from(line));
const leaves = entries.map(leafHash);
const disclosed = JSON.parse(text('disclosed.json')) as Record<string, Disclosed>;
const tree = JSON.parse(text('tree.json')) as {
  leaf_hashes: string[];
  roots: string[];
  inclusion: { index: number; size: number; hashes: string[] }[];
  consistency: { from: number; to: number; hashes: string[] }[];
};
const key = parseVerifierKey(text('key.txt'));
const base64 = (hashes: readonly Buffer[]) => hashes.map((hash) => hash.toString('base64'));
const bytes = (hashes: readonly string[]) => hashes.map((hash) => Buffer.from(hash, 'base64'));
const rootAt = (size: number) => Buffer.from(tree.roots[size] ?? '', 'base64');

describe('the frozen vectors', () => {
  it('are unchanged since their release', () => {
    const checksums = Object.fromEntries(
      ['log.ndjson', 'checkpoint.txt', 'checkpoint-7.txt', 'key.txt', 'tree.json', 'disclosed.json'].map(
        (name) => [name, leafHash(read(name)).toString('hex').slice(0, 16)],
      ),
    );
    expect(checksums).toEqual({
      'log.ndjson': '9a025496d2fd844a',
      'checkpoint.txt': '9988a9b9c790bc23',
      'checkpoint-7.txt': '0ccd38381c8a30f4',
      'key.txt': '8ca36117e7ea8a7e',
      'tree.json': '5562dea1f03fe1fc',
      'disclosed.json': 'c74540eb4da6a9a3',
    });
  });

  it('are in canonical form, byte by byte', () => {
    for (const entry of entries) expect(encodeEntry(parseEntry(entry))).toBe(entry.toString('utf8'));
    expect(leaves.map((leaf) => leaf.toString('hex'))).toEqual(tree.leaf_hashes);
  });

  it('verify as a whole, with both checkpoints and the disclosed values', () => {
    expect(
      verifyLedger(entries, {
        disclosed: (id) => disclosed[id],
        checkpoints: [text('checkpoint.txt'), text('checkpoint-7.txt')],
        trusted: [key],
      }),
    ).toMatchObject({ ok: true, size: 13, vouched: 13, root: rootAt(13).toString('hex') });
  });

  it('have these roots and proofs', () => {
    for (let size = 0; size <= leaves.length; size += 1)
      expect(rootOfLeaves(leaves.slice(0, size)).toString('base64')).toBe(tree.roots[size]);
    for (const { index, size, hashes } of tree.inclusion) {
      expect(base64(inclusionProof(leaves, index, size))).toEqual(hashes);
      const leaf = leaves[index] ?? Buffer.alloc(0);
      expect(verifyInclusion({ index, size, leaf, root: rootAt(size) }, bytes(hashes))).toBe(true);
    }
    for (const { from, to, hashes } of tree.consistency) {
      expect(base64(consistencyProof(leaves, from, to))).toEqual(hashes);
      expect(verifyConsistency({ from, to, fromRoot: rootAt(from), toRoot: rootAt(to) }, bytes(hashes))).toBe(
        true,
      );
    }
  });

  it('have checkpoints that the key signed, and signing again gives the same note', () => {
    for (const name of ['checkpoint.txt', 'checkpoint-7.txt']) {
      const opened = openNote(text(name), [key]);
      const checkpoint = parseCheckpoint(opened.text);
      expect(checkpoint.root).toEqual(rootAt(checkpoint.size));
      const signer = noteSigner(checkpoint.origin, testKey('agentlattice test key, never use it'));
      expect(signer.sign(formatCheckpoint(checkpoint))).toBe(text(name));
    }
  });

  it('are the examples of SPEC.md', () => {
    const spec = read('../SPEC.md').toString('utf8');
    const shown = [
      entries[7]?.toString(),
      leaves[7]?.toString('hex'),
      text('checkpoint.txt').trimEnd(),
      text('key.txt').trimEnd(),
    ];
    for (const example of shown) expect(spec).toContain(`\n${example ?? ''}\n\`\`\``);
  });

  it('commit to the disclosed values', () => {
    for (const entry of entries.map(parseEntry))
      for (const field of privateFields) {
        const content = disclosed[entry.id]?.[field];
        if (content !== undefined)
          expect(commit(field, content.salt, content.value)).toBe(entry.private[field]);
      }
  });
});

/** Added later: votes, a change of policy, decisions and a report; then agents that act for others, with entries of version 2. */
describe.each([
  [
    'decisions',
    11,
    ['1024da13488b09ac', 'eb0bce2bf71df4dd', 'b337ac0fbc759d81', '195c42ddd0550bc8', '229c1c6fb8ba53d3'],
  ],
  [
    'delegations',
    7,
    ['32f360a48746490b', '4ce28dea6bd2d9be', '533c1c595d933452', 'ecdf392071fbd7e3', '3fac3f66351ac67a'],
  ],
])('the frozen vectors of %s', (folder, size, hashes) => {
  const lines = text(`${folder}/log.ndjson`).split('\n').slice(0, -1);
  const values = JSON.parse(text(`${folder}/disclosed.json`)) as Record<string, Disclosed>;

  it('are unchanged since their release', () => {
    const names = ['log.ndjson', 'checkpoint.txt', 'key.txt', 'tree.json', 'disclosed.json'];
    expect(
      names.map((name) =>
        leafHash(read(`${folder}/${name}`))
          .toString('hex')
          .slice(0, 16),
      ),
    ).toEqual(hashes);
  });

  it('are in canonical form and verify as a whole, with the disclosed values', () => {
    for (const line of lines) expect(encodeEntry(parseEntry(Buffer.from(line)))).toBe(line);
    expect(
      verifyLedger(
        lines.map((line) => Buffer.from(line)),
        {
          disclosed: (id) => values[id],
          checkpoints: [text(`${folder}/checkpoint.txt`)],
          trusted: [parseVerifierKey(text(`${folder}/key.txt`))],
        },
      ),
    ).toMatchObject({ ok: true, size, vouched: size });
  });
});
