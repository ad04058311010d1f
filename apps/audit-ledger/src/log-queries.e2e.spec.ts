import { auditLedgerCommands as commands } from '@agentlattice/contracts';
import { openNote, parseCheckpoint, parseVerifierKey, verifyLedger } from '@agentlattice/ledger';
import { eventually } from '@agentlattice/testkit';
import pg from 'pg';
import { type LedgerHarness, startLedgerHarness, Submitter } from '../test/ledger-harness.js';
import { newOrg, sampleAgent, sampleItem, samplePolicy } from '../test/sample-items.js';

let harness: LedgerHarness;
let submitter: Submitter;
beforeAll(async () => {
  harness = await startLedgerHarness();
  submitter = new Submitter(harness.nc);
  await (await harness.start()).ready();
}, 120_000);
afterAll(() => harness.stop());

describe('the log', () => {
  it('verifies with its published checkpoint and key, and with every older checkpoint', async () => {
    const org_id = newOrg();
    const notes: string[] = [];
    for (let round = 0; round < 3; round++) {
      for (let n = 0; n < 5; n++) await submitter.answered(sampleItem({ org: org_id }));
      notes.push((await harness.client.request(commands.checkpoint, { org_id })).note);
    }
    const { key } = await harness.client.request(commands.verifier_key, { org_id });
    const trusted = [parseVerifierKey(key)];
    expect(notes.map((note) => parseCheckpoint(openNote(note, trusted).text).size)).toEqual([6, 11, 16]);
    expect(verifyLedger(await harness.entriesOf(org_id), { checkpoints: notes, trusted })).toMatchObject({
      ok: true,
      vouched: 16,
    });
    expect(await harness.verify(org_id)).toMatchObject({
      chain_valid: true,
      verified_through_row: 16,
      verified_from_checkpoint: true,
    });
    const page = await harness.client.request(commands.entries, { org_id, from: 14, limit: 10 });
    expect(page).toMatchObject({ size: 16, entries: { length: 2 } });
  });

  it('keeps workspaces apart', async () => {
    const [one, two] = [newOrg(), newOrg()];
    const items = Array.from({ length: 30 }, (_, n) => sampleItem({ org: n % 2 === 0 ? one : two }));
    submitter.send(items);
    await eventually(() => items.every(({ item_id }) => submitter.answers.has(item_id)));
    for (const org of [one, two]) {
      const entries = await harness.entriesOf(org);
      expect(verifyLedger(entries, { log: `agentlattice.local/log/${org}` })).toMatchObject({
        ok: true,
        size: 16,
      });
    }
  });

  it('is searched newest first, page by page, by the content of its entries', async () => {
    const org = newOrg();
    const ids: (string | undefined)[] = [];
    for (const decision of ['executed', 'denied', 'executed', 'denied', 'executed'] as const)
      ids.unshift((await submitter.answered(sampleItem({ org, decision }))).outcome?.audit_event_id);
    const found: string[] = [];
    let cursor: string | null = null;
    do {
      const page: Awaited<ReturnType<typeof harness.search>> = await harness.search(org, {
        cursor,
        limit: 2,
        agent_id: sampleAgent.id,
      });
      found.push(...page.events.map(({ id }) => id));
      cursor = page.next_cursor;
    } while (cursor !== null);
    expect(found).toEqual(ids);
    expect((await harness.search(org, { decision: 'denied', action_type: 'mail.send' })).events).toHaveLength(
      2,
    );
    expect(
      (await harness.search(org, { type: 'action.executed', policy_id: samplePolicy.id })).events,
    ).toHaveLength(3);
    const { timestamp } = (await harness.search(org, { limit: 1 })).events[0] ?? { timestamp: '' };
    expect(
      (await harness.search(org, { to_time: timestamp })).events.every((e) => e.timestamp < timestamp),
    ).toBe(true);
    expect(
      (await harness.search(org, { from_time: timestamp })).events.every((e) => e.timestamp >= timestamp),
    ).toBe(true);
  });

  it('gives pages that fit a message, however large its entries are', async () => {
    const org = newOrg();
    for (let n = 0; n < 8; n++)
      expect(
        (await submitter.answered(sampleItem({ org, metadata: { text: 'x'.repeat(200_000) } }))).error,
      ).toBeNull();
    let seen = 0;
    let cursor: string | null = null;
    do {
      const page: Awaited<ReturnType<typeof harness.search>> = await harness.search(org, { cursor });
      seen += page.events.length;
      cursor = page.next_cursor;
    } while (cursor !== null);
    expect(seen).toBe(9);
  });

  it('cannot be changed, not even by the owner of its tables', async () => {
    const own = new pg.Client({ connectionString: harness.postgres.databaseUrl('audit-ledger') });
    await own.connect();
    const attempts = [
      `UPDATE entry SET type = 'x'`,
      'DELETE FROM entry',
      'TRUNCATE entry',
      'DELETE FROM checkpoint',
      `SET session_replication_role = replica; UPDATE entry SET type = 'x' WHERE seq < 0`,
    ];
    for (const sql of attempts) {
      await expect(own.query(sql)).rejects.toThrow(/permission denied|append-only/);
      await expect(harness.admin.query(sql)).rejects.toThrow(/append-only/);
      await harness.admin.query('RESET session_replication_role');
    }
    await expect(own.query('DELETE FROM private_value')).rejects.toThrow(/permission denied/);
    await own.end();
  });
});

describe('tampering with a log is detected', () => {
  const tamper = async (sql: string, values: unknown[]) => {
    const client = await harness.admin.connect();
    try {
      await client.query('ALTER TABLE entry DISABLE TRIGGER USER');
      const { rowCount } = await client.query(sql, values);
      expect(rowCount).toBeGreaterThan(0);
      await client.query('ALTER TABLE entry ENABLE ALWAYS TRIGGER entry_append_only');
    } finally {
      client.release();
    }
  };
  const filled = async () => {
    const org = newOrg();
    for (let n = 0; n < 6; n++)
      await submitter.answered(sampleItem({ org, decision: n === 3 ? 'denied' : 'executed' }));
    await harness.client.request(commands.checkpoint, { org_id: org });
    expect(await harness.verify(org)).toMatchObject({ chain_valid: true, verified_through_row: 7 });
    return org;
  };
  const idOf = async (org: string, seq: number) =>
    (await harness.search(org)).events.find((e) => e.seq === seq)?.id;

  it('at an edited row', async () => {
    const org = await filled();
    const id = await idOf(org, 4);
    await tamper(
      `UPDATE entry SET bytes = convert_to(replace(convert_from(bytes, 'UTF8'), '"denied"', '"executed"'), 'UTF8')
        WHERE org_id = $1 AND seq = 4`,
      [org],
    );
    expect(await harness.verify(org)).toMatchObject({
      chain_valid: false,
      first_broken_at_row_id: id,
      first_broken_at_seq: 4,
      verified_through_row: 4,
    });
  });

  it('at a row whose hash was adapted', async () => {
    const org = await filled();
    await tamper(
      `WITH forged AS (SELECT convert_to(replace(convert_from(bytes, 'UTF8'), '"denied"', '"executed"'), 'UTF8') AS bytes
                         FROM entry WHERE org_id = $1 AND seq = 4)
       UPDATE entry SET bytes = forged.bytes, leaf_hash = sha256('\\x00'::bytea || forged.bytes) FROM forged
        WHERE org_id = $1 AND seq = 4`,
      [org],
    );
    expect(await harness.verify(org)).toMatchObject({
      chain_valid: false,
      first_broken_at_seq: 4,
      reason: expect.stringContaining('edited') as string,
    });
  });

  it('at a deleted row, and at a missing end', async () => {
    const org = await filled();
    await tamper('DELETE FROM entry WHERE org_id = $1 AND seq = 6', [org]);
    expect(await harness.verify(org)).toMatchObject({
      chain_valid: false,
      first_broken_at_seq: 6,
      first_broken_at_row_id: null,
    });
    await tamper('DELETE FROM entry WHERE org_id = $1 AND seq = 2', [org]);
    expect(await harness.verify(org)).toMatchObject({ chain_valid: false, first_broken_at_seq: 2 });
  });

  it('at a disclosed value that differs from the recorded one', async () => {
    const org = await filled();
    const id = await idOf(org, 2);
    await tamper(`UPDATE private_value SET content = replace(content, '12', '13') WHERE entry_id = $1`, [id]);
    expect(await harness.verify(org)).toMatchObject({ chain_valid: false, first_broken_at_row_id: id });
  });

  it('but not when a value is erased', async () => {
    const org = await filled();
    await tamper('DELETE FROM private_value WHERE org_id = $1', [org]);
    expect(await harness.verify(org)).toMatchObject({ chain_valid: true, verified_through_row: 7 });
    expect((await harness.search(org)).events[0]).toMatchObject({ metadata: {}, data_accessed: [] });
  });

  it('and a workspace without a log is answered with NOT_FOUND', async () => {
    await expect(harness.verify(newOrg())).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });
});
