import { eventually, startPostgres, testPool, type TestPostgres } from '@agentlattice/testkit';
import pg from 'pg';
import { typeidUnboxed } from 'typeid-js';
import { newOrg, sampleSubmission } from '../../test/sample-items.js';
import { EventKeyTaken, WriterLost } from '../domain/commit-store.js';
import { type LogHeads, settle, stage } from '../domain/log-heads.js';
import type { Draft } from '../domain/draft.js';
import { migrations } from '../migrations/index.js';
import { LedgerSession } from './ledger-session.js';
import { hangsAfterMs, takingLock, writerLock } from './writer-locks.js';

let postgres: TestPostgres;
let admin: pg.Pool;
const open: LedgerSession[] = [];
beforeAll(async () => {
  postgres = await startPostgres({ migrations: { 'audit-ledger': migrations } });
  admin = testPool({ connectionString: postgres.adminUrl, options: '-c search_path=audit_ledger' });
}, 60_000);
afterEach(async () => {
  await Promise.all(open.splice(0).map((session) => session.close()));
});
afterAll(async () => {
  await admin.end();
  await postgres.stop();
});

const connect = async (options: { hangsAfterMs?: number } = {}) => {
  const session = await LedgerSession.connect({
    databaseUrl: postgres.databaseUrl('audit-ledger'),
    instance: 'test',
    ...options,
  });
  open.push(session);
  return session;
};
const stageIn = (heads: LogHeads, ...drafts: Draft[]) =>
  stage(heads, drafts, {
    now: Date.now(),
    originOf: (org) => `test/log/${org}`,
    newId: () => typeidUnboxed('evt'),
  });
const count = async (org: string) =>
  Number(
    (await admin.query<{ n: string }>('SELECT count(*) AS n FROM entry WHERE org_id = $1', [org])).rows[0]?.n,
  );

it('only one session at a time holds the lock; the next one gets it when the first has ended', async () => {
  const [first, second] = [await connect(), await connect()];
  expect(await first.acquire()).toBe(true);
  expect(await second.acquire()).toBe(false);
  await first.close();
  await first.lost;
  expect(await second.acquire()).toBe(true);
});

it.each([
  ['a writer', writerLock],
  ['an instance that takes over from a writer', takingLock],
])('%s that hangs with its connection open loses the lock', async (_, lock) => {
  // As the process of a writer that was stopped: PostgreSQL hears nothing of it, and its system keeps the connection.
  const hung = new pg.Client({ connectionString: postgres.databaseUrl('audit-ledger') });
  const ended = new Promise((resolve) => hung.on('error', resolve));
  await hung.connect();
  try {
    await hung.query('SELECT pg_advisory_lock($1, 0)', [lock]);
    const [patient, session] = [await connect(), await connect({ hangsAfterMs: 200 })];
    expect(await patient.acquire()).toBe(false);
    await eventually(() => session.acquire(), { within: 5_000 });
    expect(await ended).toMatchObject({ code: '57P01' });
  } finally {
    await hung.end();
  }
});

it('a writer without work gives signs of life', async () => {
  const session = await connect();
  await session.acquire();
  const lastSign = async () => {
    const { rows } = await admin.query<{ at: Date }>(
      `SELECT state_change AS at FROM pg_locks JOIN pg_stat_activity USING (pid)
        WHERE locktype = 'advisory' AND classid = $1 AND granted`,
      [writerLock],
    );
    return rows[0]?.at.getTime() ?? 0;
  };
  const first = await lastSign();
  expect(first).toBeGreaterThan(0);
  await eventually(async () => (await lastSign()) > first, { within: hangsAfterMs });
});

it('a writer with an older epoch writes nothing, though it never lost its lock', async () => {
  const session = await connect();
  await session.acquire();
  const heads = await session.load();
  await admin.query('UPDATE writer SET epoch = epoch + 1');
  const org = newOrg();
  await expect(session.commit(heads, stageIn(heads, sampleSubmission({ org })))).rejects.toThrow(WriterLost);
  await expect(session.load()).rejects.toThrow(WriterLost);
  expect(await count(org)).toBe(0);
});

it('a head that differs from the writer’s stops the whole commit', async () => {
  const session = await connect();
  await session.acquire();
  const [org, other] = [newOrg(), newOrg()];
  let heads = await session.load();
  const staged = stageIn(heads, sampleSubmission({ org }));
  await session.commit(heads, staged);
  heads = settle(heads, staged);
  await admin.query('UPDATE log SET size = size + 1 WHERE org_id = $1', [org]);
  const next = stageIn(heads, sampleSubmission({ org: other }), sampleSubmission({ org }));
  await expect(session.commit(heads, next)).rejects.toThrow('not where the writer left it');
  expect([await count(org), await count(other)]).toEqual([2, 0]);
  await admin.query('UPDATE log SET size = size - 1 WHERE org_id = $1', [org]);
  expect(await session.load()).toEqual(heads);
});

it('a repeated event key stops the whole commit and is found again', async () => {
  const session = await connect();
  await session.acquire();
  const org = newOrg();
  const first = sampleSubmission({ org, eventId: 'k' });
  let heads = await session.load();
  const staged = stageIn(heads, first);
  await session.commit(heads, staged);
  heads = settle(heads, staged);
  const again = sampleSubmission({ org, eventId: 'k' });
  await expect(session.commit(heads, stageIn(heads, sampleSubmission({ org }), again))).rejects.toThrow(
    EventKeyTaken,
  );
  expect(await count(org)).toBe(2);
  const found = await session.findByEventKey([again, sampleSubmission({ org })]);
  expect([...found].map(([draft, { entry }]) => [draft, entry.id])).toEqual([[again, first.id]]);
});

it('loads the heads that it wrote', async () => {
  const session = await connect();
  await session.acquire();
  const before = await session.load();
  const staged = stageIn(before, sampleSubmission({ org: newOrg() }), sampleSubmission({ org: newOrg() }));
  await session.commit(before, staged);
  expect(await session.load()).toEqual(settle(before, staged));
});

it('a database that confirms commits before they are on disk is refused', async () => {
  await admin.query('ALTER ROLE al_audit_ledger SET synchronous_commit = off');
  await expect(connect()).rejects.toThrow('synchronous_commit');
  await admin.query('ALTER ROLE al_audit_ledger RESET synchronous_commit');
});
