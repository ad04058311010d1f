import { appendFile, chmod, mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { verifierKeyOf } from '@agentlattice/ledger';
import { fileArchive } from './checkpoint-archive.js';
import { ledgerKeys } from './ledger-keys.js';

let folder: string;
beforeEach(async () => (folder = await mkdtemp(join(tmpdir(), 'al-keys-'))));
afterEach(() => rm(folder, { recursive: true, force: true }));

const pem = (key: { export(options: { type: 'pkcs8'; format: 'pem' }): string | Buffer }) =>
  key.export({ type: 'pkcs8', format: 'pem' });

const own = () => ({ path: join(folder, 'keys'), isGiven: false });

describe('the ledger’s keys', () => {
  it('are made once, for their owner only, also when several instances start together', async () => {
    const all = await Promise.all(Array.from({ length: 5 }, () => ledgerKeys(own())));
    expect(new Set(all.map(({ grants }) => pem(grants.signing))).size).toBe(1);
    expect(new Set(all.map(({ checkpoints }) => checkpoints.verifierKey('x'))).size).toBe(1);
    const [one] = all;
    expect(one?.checkpoints.verifierKey('x')).not.toBe(one && verifierKeyOf('x', one.grants.signing));
    for (const name of ['audit-ledger-grants.pem', 'audit-ledger-checkpoints.pem'])
      expect((await stat(join(folder, 'keys', name))).mode & 0o777).toBe(0o600);
  });

  it('are refused when others can read them', async () => {
    await ledgerKeys(own());
    await chmod(join(folder, 'keys', 'audit-ledger-grants.pem'), 0o644);
    await expect(ledgerKeys(own())).rejects.toThrow('can be read by others');
  });

  it('are never made in a given folder, and may be read by the group of the pod there', async () => {
    const given = { path: join(folder, 'keys'), isGiven: true };
    await expect(ledgerKeys(given)).rejects.toThrow('audit-ledger-checkpoints.pem is missing');
    const made = await ledgerKeys(own());
    for (const name of ['audit-ledger-grants.pem', 'audit-ledger-checkpoints.pem'])
      await chmod(join(given.path, name), 0o440);
    expect((await ledgerKeys(given)).checkpoints.verifierKey('x')).toBe(made.checkpoints.verifierKey('x'));
    await chmod(join(given.path, 'audit-ledger-grants.pem'), 0o444);
    await expect(ledgerKeys(given)).rejects.toThrow('can be read by others');
  });
});

describe('the archive of checkpoints', () => {
  it('keeps all notes of a log and knows the newest, though a crash tore a line', async () => {
    const archive = fileArchive(join(folder, 'checkpoints'));
    expect((await archive.newest()).size).toBe(0);
    await archive.append('org_1', 'one\n');
    await archive.append('org_1', 'two\n');
    await archive.append('org_2', 'other\n');
    const file = join(folder, 'checkpoints', 'org_1.checkpoints');
    await appendFile(file, '\n"thr');
    expect([...(await archive.newest())].sort()).toEqual([
      ['org_1', 'two\n'],
      ['org_2', 'other\n'],
    ]);
    await archive.append('org_1', 'four\n');
    expect((await archive.newest()).get('org_1')).toBe('four\n');
    expect(await readFile(file, 'utf8')).toContain('"one\\n"');
    expect(await archive.notes('org_1')).toEqual(['four\n', 'two\n', 'one\n']);
  });

  it('keeps releases beside the notes; a log that was released as gone has none', async () => {
    const archive = fileArchive(join(folder, 'checkpoints'));
    const release = (orgId: string, size: number) => ({
      ...{ orgId, size, signed: { size: 9, root: 'cm9vdA==' } },
      ...{ reason: 'drill', at: '2026-11-29T12:00:00.000Z' },
    });
    for (const org of ['org_1', 'org_2']) await archive.append(org, 'signed\n');
    await archive.release(release('org_1', 4));
    await archive.release(release('org_2', 0));
    expect([...(await archive.newest())]).toEqual([['org_1', 'signed\n']]);
    expect([...(await archive.releases()).values()]).toEqual([release('org_1', 4), release('org_2', 0)]);
  });
});
