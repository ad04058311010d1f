import { auditLedgerCommands as commands, ledgerHeartbeatSubject } from '@agentlattice/contracts';
import { eventually } from '@agentlattice/testkit';
import {
  type LedgerHarness,
  type LedgerProcess,
  startLedgerHarness,
  Submitter,
} from '../test/ledger-harness.js';
import { newOrg, sampleItem } from '../test/sample-items.js';

let harness: LedgerHarness;
let submitter: Submitter;
let first: LedgerProcess;
beforeAll(async () => {
  harness = await startLedgerHarness();
  submitter = new Submitter(harness.nc);
  first = await harness.start();
  await first.ready();
}, 120_000);
afterAll(() => harness.stop());

const isTrue = async (org_id: string) =>
  expect(await harness.verify(org_id)).toMatchObject({ chain_valid: true, reason: null });
const answered = () => [...submitter.answers.values()].filter(({ outcome }) => outcome !== null);

/** Sends without a pause until stopped, in several workspaces; a tenth of the items are retries. */
function load(orgs: readonly string[]) {
  let running = true;
  let sent = 0;
  const run = (async () => {
    while (running) {
      submitter.send(
        Array.from({ length: 20 }, (_, n) =>
          sampleItem({
            org: orgs[n % orgs.length] ?? '',
            eventId: `load-${String(n % 10 === 0 ? sent % 50 : sent + n)}`,
          }),
        ),
        1_800,
      );
      sent += 20;
      await new Promise(setImmediate);
      await harness.nc.flush().catch(() => {});
    }
  })();
  return {
    stop: async () => {
      running = false;
      await run;
    },
  };
}

/** Every answered submission has its entry on disk, exactly once. */
async function nothingAnsweredIsLost(): Promise<void> {
  const ids = [...new Set(answered().map(({ outcome }) => outcome?.audit_event_id ?? ''))];
  const { rows } = await harness.admin.query<{ id: string; n: string }>(
    'SELECT id, count(*) AS n FROM entry WHERE id = ANY($1) GROUP BY id',
    [ids],
  );
  expect(rows).toHaveLength(ids.length);
  expect(rows.every(({ n }) => n === '1')).toBe(true);
}

const moreAnswers = async (count = 200) => {
  const before = answered().length;
  await eventually(() => answered().length > before + count, { within: 50_000 });
};

it('a database connection that is cut under load causes errors, but loses no answered submission', async () => {
  const orgs = [newOrg(), newOrg(), newOrg()];
  const loop = load(orgs);
  for (let round = 0; round < 3; round++) {
    await moreAnswers();
    await harness.admin.query(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'audit-ledger-writer-%'`,
    );
  }
  await moreAnswers();
  await loop.stop();
  await nothingAnsweredIsLost();
  for (const org of orgs) await isTrue(org);
}, 120_000);

it('a writer that is killed under load loses no answered submission, and the standby takes over', async () => {
  const second = await harness.start();
  await second.ready();
  expect(second.output()).not.toContain('writes the audit log');
  const orgs = [newOrg(), newOrg()];
  const loop = load(orgs);
  await moreAnswers();
  await first.kill('SIGKILL');
  await eventually(() => second.output().includes('this instance writes the audit log'), { within: 50_000 });
  await moreAnswers();
  await loop.stop();
  await nothingAnsweredIsLost();
  for (const org of orgs) await isTrue(org);
  first = second;
}, 120_000);

it('a writer that stops hands its commands over to one of those that stand by, and none is lost', async () => {
  let others: readonly LedgerProcess[] = await Promise.all([harness.start(), harness.start()]);
  await Promise.all(others.map((other) => other.ready()));
  const orgs = [newOrg(), newOrg()];
  const sent = new Set<string>();
  let running = true;
  const steady = (async () => {
    while (running) {
      const items = orgs.map((org) => sampleItem({ org }));
      submitter.send(items, 60_000);
      for (const { item_id } of items) sent.add(item_id);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  })();
  for (const round of [1, 2]) {
    await eventually(() => sent.size > round * 100, { within: 30_000 });
    await first.kill('SIGTERM');
    expect(first.child.exitCode).toBe(0);
    first = await eventually(
      () => others.find((other) => other.output().includes('this instance writes the audit log')),
      { within: 30_000 },
    );
    others = others.filter((other) => other !== first);
  }
  running = false;
  await steady;
  const outcome = (id: string) => submitter.answers.get(id)?.outcome ?? null;
  await eventually(() => [...sent].every((id) => outcome(id) !== null));
  const { rows } = await harness.admin.query<{ n: string }>(
    `SELECT count(*) AS n FROM entry WHERE org_id = ANY ($1) AND type LIKE 'action.%'`,
    [orgs],
  );
  expect(Number(rows[0]?.n)).toBe(sent.size);
  for (const org of orgs) await isTrue(org);
  expect(first.output()).not.toContain('did not stop in time');
}, 120_000);

it('PostgreSQL killed under load comes back with every answered submission', async () => {
  const orgs = [newOrg()];
  const loop = load(orgs);
  await moreAnswers();
  harness.postgres.kill();
  await eventually(async () => (await harness.admin.query('SELECT 1')).rowCount === 1, { within: 50_000 });
  await first.ready();
  await moreAnswers();
  await loop.stop();
  await nothingAnsweredIsLost();
  await isTrue(orgs[0] ?? '');
}, 120_000);

it('of two instances only the one that holds the lock takes submissions and sends heartbeats', async () => {
  const second = await harness.start();
  await second.ready();
  const beats = new Set<string>();
  harness.nc.subscribe(ledgerHeartbeatSubject, {
    callback: (_error, message) => void beats.add(message.string()),
    max: 8,
  });
  const org = newOrg();
  for (let n = 0; n < 20; n++) await submitter.answered(sampleItem({ org }));
  await eventually(() => beats.size > 0);
  expect(beats.size).toBe(1);
  await isTrue(org);
  await second.kill('SIGTERM');
});

it('a writer that is stopped answers the submissions that it has accepted', async () => {
  const items = Array.from({ length: 400 }, () => sampleItem({ org: newOrg() }));
  submitter.send(items, 30_000);
  await eventually(() => submitter.answers.has(items[0]?.item_id ?? ''));
  await first.kill('SIGTERM');
  expect(first.child.exitCode).toBe(0);
  await nothingAnsweredIsLost();
  const { rows } = await harness.admin.query<{ n: string }>(
    'SELECT count(*) AS n FROM entry WHERE org_id = ANY($1)',
    [items.map(({ org_id }) => org_id)],
  );
  // Every written submission was answered: two entries each, with the first one of its log.
  const heard = () =>
    items.filter(({ item_id }) => (submitter.answers.get(item_id)?.outcome ?? null) !== null).length;
  await eventually(() => heard() * 2 === Number(rows[0]?.n));
  first = await harness.start();
  await first.ready();
}, 60_000);

it('a restored older backup is detected: nothing is signed or written, and readiness fails', async () => {
  const org = newOrg();
  for (let n = 0; n < 3; n++) await submitter.answered(sampleItem({ org }));
  const backup = await snapshot(org);
  for (let n = 0; n < 3; n++) await submitter.answered(sampleItem({ org }));
  // The four hundred logs of the test before may be signed first.
  const { size } = await harness.client.request(commands.checkpoint, { org_id: org }, { timeoutMs: 60_000 });
  expect(size).toBe(7);
  await first.kill('SIGTERM');
  await restore(org, backup);

  const restarted = await harness.start();
  await eventually(async () => (await restarted.readiness()).missing.includes('audit log writer'));
  await eventually(() => restarted.output().includes('7 were signed'));
  const refused = sampleItem({ org });
  submitter.send([refused], 500);
  // The queries still answer, so the process lives; it has not received the submission.
  await expect(harness.client.request(commands.checkpoint, { org_id: org })).rejects.toMatchObject({
    code: 'NOT_FOUND',
  });
  expect(submitter.answers.has(refused.item_id)).toBe(false);
  const { entries } = await harness.client.request(commands.entries, { org_id: org, from: 0, limit: 100 });
  expect(entries).toHaveLength(4);
}, 60_000);

interface Backup {
  readonly log: Record<string, unknown>;
}
const snapshot = async (org: string): Promise<Backup> => {
  const { rows } = await harness.admin.query<Record<string, unknown>>('SELECT * FROM log WHERE org_id = $1', [
    org,
  ]);
  return { log: rows[0] ?? {} };
};
async function restore(org: string, { log }: Backup): Promise<void> {
  const client = await harness.admin.connect();
  for (const table of ['entry', 'checkpoint'])
    await client.query(`ALTER TABLE ${table} DISABLE TRIGGER USER`);
  await client.query(
    'DELETE FROM submission s USING entry e WHERE e.id = s.entry_id AND e.org_id = $1 AND e.seq >= $2',
    [org, log['size']],
  );
  await client.query('DELETE FROM entry WHERE org_id = $1 AND seq >= $2', [org, log['size']]);
  await client.query('DELETE FROM checkpoint WHERE org_id = $1', [org]);
  await client.query(
    'UPDATE log SET size = $2, grown = $3, last_hash = $4, frontier = $5, positions = $6 WHERE org_id = $1',
    [org, log['size'], log['grown'], log['last_hash'], log['frontier'], log['positions']],
  );
  for (const table of ['entry', 'checkpoint'])
    await client.query(`ALTER TABLE ${table} ENABLE ALWAYS TRIGGER ${table}_append_only`);
  client.release();
}
