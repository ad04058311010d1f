import { execFile } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { serviceNames } from '@agentlattice/contracts';
import { openNote, parseCheckpoint, parseVerifierKey } from '@agentlattice/ledger';
import { eventually, type Stack, startStack } from '@agentlattice/testkit';
import pg from 'pg';
import { adminOf, agentOf, type Api } from './kit/api.js';
import { approvalsOf } from './kit/approvals.js';
import { readLog } from './kit/log.js';

const run = promisify(execFile);
/** With owners and modes: PostgreSQL refuses a folder that is not its own. */
const copy = (from: string, to: string) => run('cp', ['-a', from, to]);

/** The procedures of docs/operations/backup.md and docs/operations/keys.md, one after the other, on one system. */
describe('a system whose database is restored from a backup', () => {
  let stack: Stack;
  let admin: Api;
  let agent: Api;
  let backup: string;
  let pending: string;
  let signed: { size: number; text: string };
  const data = () => join(stack.dataDir, 'postgres');
  const allowed = async () => expect((await agent.submit('let.me')).status).toBe(200);
  const types = async () => (await readLog(admin)).map(({ type }) => type);
  const checkpoint = async () => {
    const { text } = await admin.get('/api/v1/audit/checkpoint');
    const key = (await admin.get('/api/v1/audit/key')).text;
    return { text, key, size: parseCheckpoint(openNote(text, [parseVerifierKey(key)]).text).size };
  };

  beforeAll(async () => {
    stack = await startStack({ samplePolicy: false });
    await stack.startServices();
    [admin, agent] = [adminOf(stack), agentOf(stack)];
    await admin.policy({ name: 'lets', action_type: 'let.me', effect: 'allow' });
    await admin.policy({ name: 'asks', action_type: 'ask.me', effect: 'require_approval' });
    await eventually(async () => (await agent.submit('let.me')).status === 200);
    backup = join(stack.dataDir, 'backup');
  }, 90_000);
  afterAll(async () => {
    delete process.env['LEDGER_RELEASE'];
    await stack.stop();
  });

  it('refuses to write, and says so, because signed entries are missing', async () => {
    const approvals = approvalsOf(admin, agent);
    pending = await eventually(() => approvals.requested('ask.me').catch(() => undefined));
    await backUp();
    for (let n = 0; n < 3; n++) await allowed();
    expect((await approvals.approve(pending, { reason: 'after the backup' })).status).toBe(200);
    await approvals.trail(pending, 'approval.approved');
    signed = await checkpoint();

    await Promise.all(serviceNames.map((service) => stack.halt(service)));
    await stack.halt('postgres');
    await rm(data(), { recursive: true });
    await copy(backup, data());
    await stack.resume('postgres');
    await stack.wipeNats();
    // It does not get ready.
    for (const service of serviceNames) void stack.resume(service).catch(() => undefined);

    await eventually(
      async () => {
        const { status, text } = await admin.get('/readyz');
        return status === 503 && text.includes('the audit-ledger is not ready (audit log writer');
      },
      { within: 40_000 },
    );
    expect((await agent.submit('let.me')).status).toBe(503);
  }, 120_000);

  it('runs again once an operator has released exactly this loss, and the log says so', async () => {
    const log = () => readFile(join(stack.dataDir, 'logs', 'audit-ledger.log'), 'utf8');
    const code = await eventually(async () => /LEDGER_RELEASE=([0-9a-f]{16}):/.exec(await log())?.[1]);
    process.env['LEDGER_RELEASE'] = `${code}:drill: disk lost, backup of the morning`;
    await stack.halt('audit-ledger');
    await stack.resume('audit-ledger');
    await eventually(async () => (await admin.get('/readyz')).status === 200, { within: 40_000 });
    await eventually(async () => (await types()).includes('ledger.restored'));

    // What was decided after the backup is open again, and the state before it is complete.
    const { approve, trail } = approvalsOf(admin, agent);
    expect((await approve(pending, { reason: 'again' })).status).toBe(200);
    await trail(pending, 'approval.approved');
    await allowed();
    const entry = (await readLog(admin)).find(({ type }) => type === 'ledger.restored');
    const { text } = await admin.get(`/api/v1/audit/disclosed?from=${String(entry?.seq)}&limit=1`);
    expect(text).toContain('disk lost, backup of the morning');
    expect(text).toContain(`\\"signed_size\\":${String(signed.size)}`);
    expect(await eventually(() => verified())).toBe(true);
    // The same order is no order for a later loss, and the next start needs none.
    await stack.halt('audit-ledger');
    delete process.env['LEDGER_RELEASE'];
    await stack.resume('audit-ledger');
    await eventually(async () => (await agent.submit('let.me')).status === 200);
    expect((await types()).filter((type) => type === 'ledger.restored')).toHaveLength(1);
  }, 120_000);

  it('gets another key for its checkpoints: both keys verify, old checkpoints stay valid, the log says so', async () => {
    const before = await checkpoint();
    const file = (label: string) => join(stack.dataDir, 'keys', `audit-ledger-checkpoints${label}.pem`);
    await stack.halt('audit-ledger');
    await rename(file(''), file('.previous'));
    const pem = generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' });
    await writeFile(file(''), pem, { mode: 0o600 });
    await stack.resume('audit-ledger');
    await eventually(async () => (await types()).includes('ledger.key_rotated'));
    const after = await eventually(async () => {
      const now = await checkpoint();
      return now.key === before.key ? undefined : now;
    });
    for (const key of [before.key, after.key])
      expect(parseCheckpoint(openNote(after.text, [parseVerifierKey(key)]).text).size).toBe(after.size);
    expect(openNote(before.text, [parseVerifierKey(before.key)]).signers).toHaveLength(1);
    const at = (await types()).indexOf('ledger.key_rotated');
    expect(after.size).toBeGreaterThan(at);
    const { text } = await admin.get(`/api/v1/audit/disclosed?from=${String(at)}&limit=1`);
    expect(text).toContain(after.key.trim());
    expect(await eventually(() => verified())).toBe(true);
  }, 60_000);

  const verified = async () => {
    const { body } = await admin.get('/api/v1/audit/verify');
    return body['complete'] === true ? body['chain_valid'] : undefined;
  };

  /** As pg_basebackup does it: the files while the server runs, then what it wrote meanwhile. */
  async function backUp(): Promise<void> {
    const client = new pg.Client({ connectionString: stack.adminUrl });
    await client.connect();
    try {
      await client.query(`SELECT pg_backup_start('drill', true)`);
      await copy(data(), backup);
      const { rows } = await client.query<{ labelfile: string }>(
        'SELECT labelfile FROM pg_backup_stop(false)',
      );
      await rm(join(backup, 'pg_wal'), { recursive: true });
      await copy(join(data(), 'pg_wal'), join(backup, 'pg_wal'));
      await writeFile(join(backup, 'backup_label'), rows[0]?.labelfile ?? '');
      for (const name of (await readdir(backup)).filter((name) => name.startsWith('postmaster.')))
        await rm(join(backup, name));
    } finally {
      await client.end();
    }
  }
});
