import { type CommandRequest, policyEngineCommands as commands } from '@agentlattice/contracts';
import { CommandClient } from '@agentlattice/messaging';
import { typeid } from 'typeid-js';
import { type EngineFixture, newOrg, refusal } from '../test/engine-fixture.js';
import { type EngineHarness, startEngineHarness } from '../test/engine-harness.js';
import { builder } from '../test/policy-fixture.js';
import { makeRejudgeRequests } from './application/rejudge-requests.js';

let harness: EngineHarness;
let f: EngineFixture;

type Item = CommandRequest<typeof commands.rejudge>['items'][number];
const pending = (members: Partial<Item> = {}): Item => ({
  approval_id: typeid('apr').toString(),
  agent: { id: builder.id, name: builder.name, owner_member_id: null },
  action_type: 'deploy.production',
  metadata: '{}',
  data_accessed: '[]',
  judged_at: '2026-11-25T09:30:00.000Z',
  ...members,
});
const rejudge = (org_id: string, ...items: Item[]) =>
  new CommandClient(f.approvals).request(commands.rejudge, { org_id, items });

beforeAll(async () => {
  harness = await startEngineHarness();
  ({ f } = harness);
});
afterAll(() => harness.stop());

describe('judging pending requests again', () => {
  it('uses all current policies of the workspace', async () => {
    const org = newOrg();
    const all = await f.create(org, { name: 'all', action_type: '*', timeout: '1h', approvals_required: 2 });
    const item = pending();
    const one = async () => (await rejudge(org, item)).judgements[0];
    expect(await one()).toMatchObject({
      approval_id: item.approval_id,
      decision: 'requested',
      policy: { id: all.id, version: 1 },
      terms: { timeout_ms: 3_600_000, approvals_required: 2 },
    });
    const deny = await f.create(org, { name: 'deny', action_type: 'deploy.*', effect: 'deny' });
    expect(await one()).toMatchObject({
      decision: 'denied',
      denial_reason: 'POLICY_DENIED',
      policy: { id: deny.id },
      terms: null,
    });
    await f.create(org, { name: 'allow', effect: 'allow' });
    expect(await one()).toMatchObject({ decision: 'executed', policy: { name: 'allow' } });
    const other = newOrg();
    expect((await rejudge(other, item)).judgements[0]).toMatchObject({
      decision: 'denied',
      denial_reason: 'POLICY_NOT_FOUND',
      policy: null,
    });
  });

  it('never uses a set older than the call, at any replica', async () => {
    const org = newOrg();
    const { id } = await f.create(org);
    for (let round = 0; round < 20; round++) {
      const effect = round % 2 === 0 ? 'allow' : 'require_approval';
      const { version } = await f.update(org, id, { effect });
      const answers = await Promise.all(Array.from({ length: 4 }, () => rejudge(org, pending())));
      for (const { judgements } of answers) expect(judgements[0]?.policy?.version).toBe(version);
    }
  });

  it('uses the time, the agent and the content of the submission', async () => {
    const org = newOrg();
    await f.create(org, {
      effect: 'conditional',
      condition_expression:
        'time.hour == 9 && agent.owner_member_id == "mbr_1" && metadata.pr_size < 100 && data_accessed[0].table == "t"',
    });
    const holding = pending({
      agent: { id: builder.id, name: builder.name, owner_member_id: 'mbr_1' },
      metadata: '{"pr_size":5}',
      data_accessed: '[{"table":"t"}]',
    });
    const items = [
      holding,
      { ...holding, judged_at: '2026-11-25T10:30:00.000Z' },
      { ...holding, agent: { ...holding.agent, owner_member_id: null } },
      { ...holding, metadata: '{"pr_size":500}' },
      { ...holding, data_accessed: '[]' },
    ];
    // One call for each: a call answers as many as it judges within its time.
    const answers = await Promise.all(items.map((item) => rejudge(org, item)));
    const judgements = answers.flatMap((answer) => answer.judgements);
    expect(judgements.map(({ decision }) => decision)).toEqual([
      'executed',
      ...['requested', 'requested', 'requested', 'requested'],
    ]);
    expect(judgements[1]?.conditions_evaluated).toMatchObject([{ field: 'expression', result: false }]);
  });

  it('answers as many as fit into one message, at least the first', async () => {
    const org = newOrg();
    const value = Array.from({ length: 900 }, (_, i) => `${String(i)}${'x'.repeat(50)}`);
    await f.create(org, { effect: 'conditional', conditions: [{ field: 'a', operator: 'in', value }] });
    const items = Array.from({ length: 100 }, () => pending());
    const { judgements } = await rejudge(org, ...items);
    expect(judgements.length).toBeGreaterThan(0);
    expect(judgements.length).toBeLessThan(100);
    expect(judgements.map(({ approval_id }) => approval_id)).toEqual(
      items.slice(0, judgements.length).map(({ approval_id }) => approval_id),
    );
  });

  it('is refused while the policies may be out of date', async () => {
    const [engine] = f.engines;
    if (engine === undefined) throw new Error('there is an engine');
    const request = { org_id: newOrg(), items: [pending()] };
    const of = (orgId: string) => engine.policies.of(orgId);
    for (const [caughtUp, fresh] of [
      [false, true],
      [true, false],
    ]) {
      const late = makeRejudgeRequests({
        of,
        delegations: new Map(),
        now: () => 0,
        caughtUp: () => Promise.resolve(caughtUp === true),
        fresh: () => fresh === true,
      });
      expect(await refusal(late(request))).toMatchObject({ code: 'STALE' });
    }
  });
});
