import { generateKeyPairSync } from 'node:crypto';
import {
  noteSigner,
  formatCheckpoint,
  openNote,
  parseCheckpoint,
  parseVerifierKey,
} from '@agentlattice/ledger';
import { entryLines, sampleFiles, vector } from '../../../test/sample-archive.js';
import { ArchiveCheck, type Damage, readKey } from './archive-check.js';
import { damageText } from './damage-text.js';
import type { TarredFile } from './tar.js';

function verdictOn(files: readonly TarredFile[], trusted: string | null = null) {
  const check = new ArchiveCheck(trusted === null ? null : readKey(trusted));
  for (const file of files) if (!check.take(file)) break;
  return check.finish();
}
type Change = NonNullable<Parameters<typeof sampleFiles>[0]>;

it.each([1, 5, 100])('an archive in blocks of %d is intact', (block) => {
  expect(verdictOn(sampleFiles(undefined, block))).toMatchObject({
    ok: true,
    size: 13,
    root: expect.stringMatching(/^[0-9a-f]{64}$/) as string,
    disclosed: 4,
    undisclosed: 9,
  });
});

const edit =
  (at: number, was: string, becomes: string): Change =>
  ({ lines }) => {
    if (lines[at]?.includes(was) !== true) throw new Error('the vector is another one');
    return { lines: lines.with(at, lines[at].replace(was, becomes)) };
  };
const changed =
  (field: 'value' | 'salt', to: string): Change =>
  ({ disclosed }) => {
    const [[id, fields] = ['', {}]] = Object.entries(disclosed) as [string, Record<string, object>][];
    const [[name, content] = ['', {}]] = Object.entries(fields);
    return { disclosed: { ...disclosed, [id]: { ...fields, [name]: { ...content, [field]: to } } } };
  };
/** Another key under the same name, which signs the same log. */
const foreign: Change = ({ checkpoint, key }) => {
  const tree = parseCheckpoint(openNote(checkpoint, [parseVerifierKey(key)]).text);
  const signer = noteSigner(tree.origin, generateKeyPairSync('ed25519').privateKey);
  return { checkpoint: signer.sign(formatCheckpoint(tree)), key: `${signer.verifierKey}\n` };
};

it.each<[string, Change, string, number | null]>([
  ['a changed entry', edit(6, '"seq":6', '"seq":6,"x":1'), 'malformed', 6],
  ['a changed member of an entry', edit(7, '"decision":"approved"', '"decision":"denied"'), 'edited', 7],
  ['a changed last entry', edit(12, '"source_seq":', '"source_seq":9'), 'source_gap', 12],
  ['a removed entry', ({ lines }) => ({ lines: lines.toSpliced(4, 1) }), 'sequence_gap', 4],
  [
    'exchanged entries',
    ({ lines }) => ({ lines: lines.with(2, lines[3] ?? '').with(3, lines[2] ?? '') }),
    'reordered',
    2,
  ],
  [
    'an entry that stands twice',
    ({ lines }) => ({ lines: lines.toSpliced(3, 0, lines[3] ?? '') }),
    'inserted',
    4,
  ],
  ['an appended entry', ({ lines }) => ({ lines: [...lines, lines[12] ?? ''] }), 'inserted', 13],
  ['a cut-off end', ({ lines }) => ({ lines: lines.slice(0, 10) }), 'truncated', 10],
  ['no entries', () => ({ lines: [] }), 'truncated', 0],
  ['a changed value', changed('value', '"other"'), 'commitment_mismatch', 3],
  ['a changed salt', changed('salt', '00'.repeat(16)), 'commitment_mismatch', 3],
  [
    'a changed size of the checkpoint',
    ({ checkpoint }) => ({ checkpoint: checkpoint.replace('\n13\n', '\n12\n') }),
    'bad_signature',
    null,
  ],
  [
    'a checkpoint without signature',
    ({ checkpoint }) => ({ checkpoint: checkpoint.replace(/— .*\n/, '') }),
    'bad_checkpoint',
    null,
  ],
  ['a changed key', ({ key }) => ({ key: key.replace(/\+[0-9a-f]{8}\+/, '+00000000+') }), 'bad_key', null],
])('%s is named', (_, change, code, at) => {
  expect(verdictOn(sampleFiles(change))).toMatchObject({ ok: false, code, at });
});

it('values of an entry that is not there are named', () => {
  const files = sampleFiles();
  const [values] = files.filter(({ name }) => name === 'disclosed/000001.ndjson');
  const stray = `{"id":"evt_01jd7e5sqcfnmrq9yh4qvxffff","fields":{}}\n`;
  const more = {
    name: values?.name ?? '',
    content: Buffer.concat([values?.content ?? Buffer.alloc(0), Buffer.from(stray)]),
  };
  expect(verdictOn(files.map((file) => (file === values ? more : file)))).toMatchObject({
    code: 'commitment_mismatch',
    detail: expect.stringContaining('evt_01jd7e5sqcfnmrq9yh4qvxffff') as string,
  });
});

it('an older checkpoint does not sign the entries behind it', () => {
  const older: Change = () => ({ checkpoint: vector('checkpoint-7.txt').toString('utf8') });
  expect(verdictOn(sampleFiles(older))).toMatchObject({ code: 'inserted', at: 7 });
});

it('after a rotation the old key and the new one verify an archive, and archives of before keep their key', () => {
  const newSigner = () => generateKeyPairSync('ed25519').privateKey;
  const newKey = newSigner();
  let key = '';
  const rotated = sampleFiles(({ checkpoint, key: old }) => {
    const { text } = openNote(checkpoint, [parseVerifierKey(old)]);
    const signer = noteSigner(parseCheckpoint(text).origin, newKey);
    key = signer.verifierKey;
    return { checkpoint: `${signer.sign(text)}${checkpoint.slice(text.length + 1)}`, key: `${key}\n` };
  });
  const old = sampleFiles()[0]?.content.toString() ?? '';
  const [log = ''] = old.split('+');
  for (const trusted of [null, old, key]) expect(verdictOn(rotated, trusted)).toMatchObject({ ok: true });
  expect(verdictOn(rotated, noteSigner(log, newSigner()).verifierKey)).toMatchObject({ code: 'foreign_key' });
  expect(verdictOn(sampleFiles(), old)).toMatchObject({ ok: true });
});

it('a log that was rewritten and signed with another key is found by the trusted key alone', () => {
  const files = sampleFiles(foreign);
  expect(verdictOn(files)).toMatchObject({ ok: true });
  const [key] = sampleFiles();
  expect(verdictOn(files, key?.content.toString() ?? '')).toMatchObject({ ok: false, code: 'foreign_key' });
  expect(verdictOn(sampleFiles(), key?.content.toString() ?? '')).toMatchObject({ ok: true });
});

it.each([
  ['without its key', (files: TarredFile[]) => files.slice(1), 'begins with'],
  ['without its checkpoint', (files: TarredFile[]) => files.toSpliced(1, 1), 'checkpoint.txt is missing'],
  ['without a block of entries', (files: TarredFile[]) => files.toSpliced(3, 1), 'does not belong'],
  ['without its last block of entries', (files: TarredFile[]) => files.slice(0, -1), null],
  [
    'with a foreign file',
    (files: TarredFile[]) => files.toSpliced(2, 0, { name: '../x', content: Buffer.alloc(0) }),
    'does not belong',
  ],
  ['that is empty', () => [], 'key.txt is missing'],
])('an archive %s is not intact', (_, change, detail) => {
  const verdict = verdictOn(change(sampleFiles()));
  expect(verdict.ok).toBe(false);
  if (detail !== null)
    expect(verdict).toMatchObject({
      code: 'damaged_archive',
      detail: expect.stringContaining(detail) as string,
    });
});

it('an archive that broke off names what was read before', () => {
  const check = new ArchiveCheck(null);
  for (const file of sampleFiles().slice(0, 6)) check.take(file);
  expect(check.finish('the archive ends in the middle')).toMatchObject({
    code: 'damaged_archive',
    at: 10,
    detail: 'the archive ends in the middle; 10 entries before that fit together',
  });
});

it('says where and what in a sentence', () => {
  expect(
    damageText(verdictOn(sampleFiles(({ lines }) => ({ lines: lines.toSpliced(4, 1) }))) as Damage),
  ).toBe('at entry 4: an entry was taken out (sequence_gap: entry 5 stands at place 4)');
});

it.each(['null', '5', '"x"', '[]', ''])(
  'a line of values that is %s is damage and no fault of the program',
  (line) => {
    const files = sampleFiles().map((file) =>
      file.name === 'disclosed/000000.ndjson'
        ? { ...file, content: Buffer.concat([Buffer.from(`${line}\n`), file.content]) }
        : file,
    );
    expect(verdictOn(files)).toMatchObject({ ok: false, code: 'damaged_archive' });
  },
);

it('entries without end behind the signed ones are not read to their end', () => {
  const check = new ArchiveCheck(null);
  const [key, checkpoint, values] = sampleFiles();
  const endless = { name: 'entries/000000.ndjson', content: Buffer.alloc(5_000_000, '\n') };
  const taken = [key, checkpoint, values, endless].map((file) => file !== undefined && check.take(file));
  expect(taken).toEqual([true, true, true, false]);
  expect(check.finish()).toMatchObject({ ok: false, code: 'malformed', at: 0 });
  expect(check.checked).toBeLessThan(20_000);
});

it('signed entries with as many behind them as are read are too many', () => {
  const files = sampleFiles(undefined, 100);
  const [last] = entryLines().slice(-1);
  const more = Buffer.from(`${last ?? ''}\n`.repeat(20_000));
  const padded = files.map((file) =>
    file.name.startsWith('entries') ? { ...file, content: Buffer.concat([file.content, more]) } : file,
  );
  expect(verdictOn(padded)).toMatchObject({ ok: false, code: 'inserted', at: 13 });
});
