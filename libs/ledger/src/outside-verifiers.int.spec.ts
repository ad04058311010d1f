import { execFile } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { tmpdir } from 'node:os';
import { promisify } from 'node:util';
import { fileURLToPath } from 'node:url';
import { notRun } from '@agentlattice/testkit';
import { parseCheckpoint } from './checkpoint.js';
import { noteSigner, openNote, parseVerifierKey } from './signed-note.js';

const run = promisify(execFile);
const testdata = (name: string) => fileURLToPath(new URL(`../testdata/${name}`, import.meta.url));
const verifier = (path: string) => fileURLToPath(new URL(`../verifiers/${path}`, import.meta.url));
const onPath = (name: string) =>
  (process.env['PATH'] ?? '').split(delimiter).some((d) => existsSync(join(d, name)));

/** Exit status and what was printed. */
const outcome = (file: string, args: string[], cwd?: string) =>
  run(file, args, { cwd, env: { ...process.env, GOFLAGS: '-mod=mod' } }).then(
    ({ stdout }) => ({ status: 0, said: stdout.trim() }),
    (error: { code?: number; stdout?: string }) => ({
      status: error.code,
      said: (error.stdout ?? '').trim(),
    }),
  );

let folder: string;
let tampered: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'al-verifiers-'));
  tampered = join(folder, 'tampered.ndjson');
  const log = await readFile(testdata('log.ndjson'), 'utf8');
  await writeFile(tampered, log.replace('"decision":"denied"', '"decision":"executed"'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe('a verifier written from SPEC.md in Python, standard library only', () => {
  const verify = (log: string, disclosed = testdata('disclosed.json')) =>
    outcome('python3', [verifier('python/verify_log.py'), log, testdata('checkpoint.txt'), disclosed]);

  it('finds the vectors sound', async () => {
    expect(await verify(testdata('log.ndjson'))).toEqual({ status: 0, said: 'sound: 13 entries' });
  });
  it('finds the vectors of decisions sound', async () => {
    const files = ['log.ndjson', 'checkpoint.txt', 'disclosed.json'].map((n) => testdata(`decisions/${n}`));
    expect(await outcome('python3', [verifier('python/verify_log.py'), ...files])).toEqual({
      status: 0,
      said: 'sound: 11 entries',
    });
  });
  const delegated = ['log.ndjson', 'checkpoint.txt', 'disclosed.json'].map((n) =>
    testdata(`delegations/${n}`),
  );
  it('finds the vectors of delegations sound', async () => {
    expect(await outcome('python3', [verifier('python/verify_log.py'), ...delegated])).toEqual({
      status: 0,
      said: 'sound: 7 entries',
    });
  });
  it.each([
    ['a chain that ends with another agent', '"name":"lister"}],"id"', '"name":"nobody"}],"id"'],
    ['an entry of version 1 with a chain', '"v":2}', '"v":1}'],
  ])('refuses %s', async (_, was, becomes) => {
    const forged = join(folder, 'delegated.ndjson');
    const log = await readFile(testdata('delegations/log.ndjson'), 'utf8');
    expect(log).toContain(was);
    await writeFile(forged, log.replace(was, becomes));
    const [, ...rest] = delegated;
    expect(await outcome('python3', [verifier('python/verify_log.py'), forged, ...rest])).toMatchObject({
      status: 1,
      said: expect.stringMatching(/^entry \d is not (of a known version|canonical)$/) as string,
    });
  });
  it('finds an edited entry', async () => {
    expect(await verify(tampered)).toMatchObject({ status: 1 });
  });
  it('refuses what the format does not know', async () => {
    const unknown = join(folder, 'unknown.ndjson');
    const log = await readFile(testdata('log.ndjson'), 'utf8');
    await writeFile(unknown, log.replace('"type":"approval.opened"', '"type":"approval.guessed"'));
    expect(await verify(unknown)).toEqual({ status: 1, said: 'entry 5 is not of a known version' });
  });
  it('finds a disclosed value that was not committed to', async () => {
    const forged = join(folder, 'disclosed.json');
    const disclosed = await readFile(testdata('disclosed.json'), 'utf8');
    await writeFile(forged, disclosed.replace('ann@example.org', 'bob@example.org'));
    expect(await verify(testdata('log.ndjson'), forged)).toEqual({
      status: 1,
      said: 'entry 3: metadata is not what was committed to',
    });
  });
});

describe('the note and tlog packages of the Go checksum database', () => {
  const withGo = (rule: string, check: () => Promise<void>) => {
    if (onPath('go')) it(rule, check, 300_000);
    else
      it(`${rule} (Go is not here)`, () => notRun(`Go verifier of the audit log: no go on PATH (${rule})`));
  };
  const verify = (log: string, checkpoint = testdata('checkpoint.txt')) =>
    outcome('go', ['run', '.', log, checkpoint, testdata('key.txt'), testdata('tree.json')], verifier('go'));

  withGo('find the vectors sound: signature, root, inclusion and consistency proofs', async () => {
    expect(await verify(testdata('log.ndjson'))).toEqual({ status: 0, said: 'sound' });
  });
  withGo('find the vectors of decisions sound', async () => {
    const files = ['log.ndjson', 'checkpoint.txt', 'key.txt', 'tree.json'].map((n) =>
      testdata(`decisions/${n}`),
    );
    expect(await outcome('go', ['run', '.', ...files], verifier('go'))).toEqual({
      status: 0,
      said: 'sound',
    });
  });
  withGo('find the vectors of delegations sound', async () => {
    const files = ['log.ndjson', 'checkpoint.txt', 'key.txt', 'tree.json'].map((n) =>
      testdata(`delegations/${n}`),
    );
    expect(await outcome('go', ['run', '.', ...files], verifier('go'))).toEqual({ status: 0, said: 'sound' });
  });
  withGo('find a checkpoint sound with the key of before a rotation and with the new one', async () => {
    const note = await readFile(testdata('checkpoint.txt'), 'utf8');
    const { text } = openNote(note, [parseVerifierKey(await readFile(testdata('key.txt'), 'utf8'))]);
    const signer = noteSigner(parseCheckpoint(text).origin, generateKeyPairSync('ed25519').privateKey);
    const [both, key] = [join(folder, 'both.txt'), join(folder, 'new-key.txt')];
    await writeFile(both, `${signer.sign(text)}${note.slice(text.length + 1)}`);
    await writeFile(key, `${signer.verifierKey}\n`);
    const files = [testdata('log.ndjson'), both];
    for (const trusted of [testdata('key.txt'), key])
      expect(await outcome('go', ['run', '.', ...files, trusted], verifier('go'))).toMatchObject({
        status: 0,
      });
    const old = ['run', '.', testdata('log.ndjson'), testdata('checkpoint.txt'), key];
    expect(await outcome('go', old, verifier('go'))).toMatchObject({ status: 1 });
    // Python looks at the root alone, no matter who signed it.
    expect(await outcome('python3', [verifier('python/verify_log.py'), ...files])).toMatchObject({
      status: 0,
    });
  });
  withGo('find an edited entry and a checkpoint nobody signed', async () => {
    expect(await verify(tampered)).toMatchObject({ status: 1 });
    const forged = join(folder, 'checkpoint.txt');
    await writeFile(forged, (await readFile(testdata('checkpoint.txt'), 'utf8')).replace('\n13\n', '\n12\n'));
    expect(await verify(testdata('log.ndjson'), forged)).toMatchObject({ status: 1 });
  });
});
