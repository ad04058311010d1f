import { wireEvent } from '@agentlattice/contracts';
import pg from 'pg';
import { eventually } from '@agentlattice/testkit';
import { type EngineFixture, newOrg, refusal, submission } from '../test/engine-fixture.js';
import { type EngineHarness, startEngineHarness } from '../test/engine-harness.js';
import { builder } from '../test/policy-fixture.js';

let harness: EngineHarness;
let f: EngineFixture;

beforeAll(async () => {
  harness = await startEngineHarness();
  ({ f } = harness);
});
afterAll(() => harness.stop());

describe('submissions', () => {
  it('are judged item by item and handed to the ledger', async () => {
    const org = newOrg();
    const asking = await f.create(org, { timeout: '90s', approvals_required: 2 });
    await f.create(org, { name: 'reads', action_type: 'read.*', effect: 'allow' });
    await f.create(org, {
      name: 'small',
      action_type: 'pr.merge',
      effect: 'conditional',
      on_fail: 'deny',
      conditions: [{ field: 'pr_size', operator: 'lt', value: 100 }],
    });
    await eventually(() => f.governs(org, 'pr.merge').every((version) => version === 1));
    const items = [
      submission(org),
      submission(org, { action_type: 'read.file' }),
      submission(org, { action_type: 'pr.merge', metadata: '{"pr_size":500}' }),
      submission(org, { action_type: 'mail.send' }),
      submission(org, { agent: { ...builder, suspended: true } }),
      submission(org, { delegation_id: 'del_x' }),
    ];
    f.submit({ item_id: 'broken' }, ...items);
    await eventually(() => items.every((item) => f.appended.has(item.item_id)));
    const verdicts = items.map((item) => f.appended.get(item.item_id)?.verdict);
    expect(
      verdicts.map((verdict) => [verdict?.decision, verdict?.denial_reason, verdict?.policy?.name]),
    ).toEqual([
      ['requested', null, 'a policy'],
      ['executed', null, 'reads'],
      ['denied', 'CONDITIONS_DENIED', 'small'],
      ['denied', 'POLICY_NOT_FOUND', undefined],
      ['denied', 'AGENT_SUSPENDED', undefined],
      ['denied', 'DELEGATION_SCOPE', undefined],
    ]);
    expect(verdicts[0]).toMatchObject({
      policy: { id: asking.id, version: 1, hash: asking.hash },
      terms: { timeout_ms: 90_000, approvals_required: 2, policy_author: 'mbr_x', policy_authors: ['mbr_x'] },
    });
    expect(verdicts[0]?.approval_id).toMatch(/^apr_/);
    expect(
      verdicts.slice(1).every((verdict) => verdict?.approval_id === null && verdict.terms === null),
    ).toBe(true);
    expect(verdicts[2]?.conditions_evaluated).toEqual([
      { field: 'pr_size', operator: 'lt', expected: 100, result: false },
    ]);
    expect(f.appended.get(items[0]?.item_id ?? '')).toMatchObject({ ...items[0] });
  });

  it('are judged by every change within a second, on both replicas', async () => {
    const org = newOrg();
    const { id } = await f.create(org);
    for (let version = 2; version <= 12; version++) {
      await f.update(org, id, { effect: version % 2 === 0 ? 'allow' : 'deny' });
      await eventually(() => f.governs(org, 'deploy.production').every((seen) => seen === version));
    }
    await f.update(org, id, { active: false });
    await eventually(() => f.governs(org, 'deploy.production').every((seen) => seen === undefined));
    expect(await f.check(org, 'deploy.production')).toMatchObject({ decision: 'denied', policy: null });
  });

  it('are answered as unavailable while the policies may be out of date, never judged', async () => {
    const org = newOrg();
    await f.create(org, { effect: 'allow' });
    const blocker = await f.admin.connect();
    try {
      await blocker.query('BEGIN; LOCK TABLE revision IN ACCESS EXCLUSIVE MODE');
      await eventually(() => f.engines.every((engine) => !engine.policies.fresh()));
      const item = submission(org);
      f.submit(item);
      await eventually(() => f.unavailable.has(item.item_id));
      expect(f.appended.has(item.item_id)).toBe(false);
      expect(await refusal(f.check(org, 'deploy.production'))).toMatchObject({ code: 'STALE' });
      // Readiness is what a check in the background has found.
      const readiness = await eventually(async () => {
        const answer = await fetch(`${f.engines[0]?.url ?? ''}/readyz?scope=local`);
        return answer.status === 503 && answer.json();
      });
      expect(readiness).toEqual({
        ...{ ready: false, missing: ['policies'], degraded: [] },
        reasons: ['the policies may be out of date'],
      });
    } finally {
      await blocker.query('ROLLBACK');
      blocker.release();
    }
    await eventually(() => f.fresh());
    const item = submission(org);
    f.submit(item);
    await eventually(() => f.appended.get(item.item_id)?.verdict.decision === 'executed');
  });

  it('are denied when a policy was changed in the database, in either copy', async () => {
    const tampering = [
      `UPDATE policy SET content = jsonb_set(content, '{effect}', '"allow"') WHERE org_id = $1`,
      `UPDATE event SET data = jsonb_set(data, '{content,effect}', '"allow"') WHERE org_id = $1`,
      `DELETE FROM policy WHERE org_id = $1`,
      `UPDATE event SET data = '{}' WHERE org_id = $1`,
      `UPDATE event SET schema_version = 9 WHERE org_id = $1`,
      `UPDATE event SET type = 'policy.unknown' WHERE org_id = $1`,
    ];
    for (const statement of tampering) {
      const org = newOrg();
      const { id, hash } = await f.create(org, { effect: 'deny' });
      await f.admin.query(statement, [org]);
      await f.admin.query('UPDATE revision SET value = value + 1');
      await f.admin.query(
        'UPDATE workspace_revision SET revision = (SELECT value FROM revision) WHERE org_id = $1',
        [org],
      );
      await eventually(
        async () => (await f.check(org, 'deploy.production')).denial_reason === 'POLICY_TAMPERED',
      );
      const answer = await f.check(org, 'deploy.production');
      expect(answer.policy).toMatchObject({ id, version: 1 });
      if (!statement.includes("'{}'")) expect(answer.policy?.hash).toBe(hash);
    }
  });
});

describe('the service', () => {
  it('gives the same verdicts after a restart, and replays its events', async () => {
    const org = newOrg();
    const { id } = await f.create(org);
    await f.update(org, id, { effect: 'deny' });
    await f.stopEngines();
    expect(await refusal(f.check(org, 'deploy.production'))).toMatchObject({ code: 'UNAVAILABLE' });
    await f.startEngines();
    await eventually(() => f.fresh());
    expect(await f.check(org, 'deploy.production')).toMatchObject({
      denial_reason: 'POLICY_DENIED',
      policy: { id, version: 2 },
    });
    const replayed = await eventually(async () => {
      const { events } = await f.replay(org);
      return events.length === 2 ? events : undefined;
    });
    expect(replayed.map((event) => [event.type, event.version, event.source_seq])).toEqual([
      ['policy.created', 1, 1],
      ['policy.updated', 2, 2],
    ]);
    expect(replayed.every((event) => wireEvent.safeParse(event).success)).toBe(true);
  });

  it('goes on after PostgreSQL was killed', async () => {
    const org = newOrg();
    await f.create(org, { effect: 'allow' });
    harness.postgres.kill();
    await eventually(
      async () => (await f.create(org, { name: 'after', action_type: 'other' })).version === 1,
      { within: 60_000 },
    );
    await eventually(async () => (await f.check(org, 'deploy.production')).decision === 'executed');
  });

  it('cannot rewrite its own history', async () => {
    const role = new pg.Client({ connectionString: harness.postgres.databaseUrl('policy-engine') });
    await role.connect();
    try {
      for (const statement of ['UPDATE event SET data = data', 'DELETE FROM event', 'TRUNCATE event'])
        await expect(role.query(statement)).rejects.toThrow('permission denied');
    } finally {
      await role.end();
    }
  });
});
