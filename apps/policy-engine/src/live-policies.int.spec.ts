import { createLogger } from '@agentlattice/observability';
import { eventually } from '@agentlattice/testkit';
import { type EngineFixture, newOrg } from '../test/engine-fixture.js';
import { type EngineHarness, startEngineHarness } from '../test/engine-harness.js';
import { LivePolicies } from './read/live-policies.js';

const never = 3_600_000;

describe('the policies of an engine that judges nothing', () => {
  let harness: EngineHarness;
  let f: EngineFixture;
  let policies: LivePolicies;

  beforeAll(async () => {
    harness = await startEngineHarness();
    ({ f } = harness);
    policies = new LivePolicies({
      databaseUrl: harness.postgres.databaseUrl('policy-engine'),
      name: 'idle-policies',
      logger: createLogger('test', 'silent'),
      // No poll reads between the steps of a test.
      pollMs: never,
      idleAfterMs: 0,
      idlePollMs: never,
      recheckMs: never,
    });
    await policies.start();
    // A replica takes submissions from then on.
    expect(policies.fresh()).toBe(true);
  });
  afterAll(async () => {
    await policies.stop();
    await harness.stop();
  });

  it('grow stale, and are read before the first verdict, changes without a notification included', async () => {
    const org = newOrg();
    await f.create(org, { effect: 'allow' });
    await eventually(() => policies.of(org).governing('deploy.production') !== undefined);
    await eventually(() => !policies.fresh());
    const before = policies.seenRevision;
    await f.admin.query('UPDATE revision SET value = value + 1');
    expect(policies.seenRevision).toBe(before);
    const [first, second] = [policies.becomesFresh(), policies.becomesFresh()];
    expect([await first, await second]).toEqual([true, true]);
    expect(policies.seenRevision).toBe(before + 1);
  });

  it('stay stale while the database does not answer', async () => {
    const blocker = await f.admin.connect();
    try {
      await blocker.query('BEGIN; LOCK TABLE revision IN ACCESS EXCLUSIVE MODE');
      await eventually(() => !policies.fresh());
      expect(await policies.becomesFresh()).toBe(false);
      expect(await policies.answers()).toBe(false);
    } finally {
      await blocker.query('ROLLBACK');
      blocker.release();
    }
    await eventually(() => policies.answers());
  });
});
