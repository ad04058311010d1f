import {
  approvalServiceCommands as commands,
  type DecidingOperator,
  type OpenItem,
} from '@agentlattice/contracts';
import { eventually } from '@agentlattice/testkit';
import { newId, requested } from '../test/approval-fixture.js';
import { type ApprovalHarness, approvalHarness } from '../test/approval-harness.js';

describe('connections to PostgreSQL that are dropped without notice', () => {
  let h: ApprovalHarness;
  beforeAll(async () => {
    h = await approvalHarness({ proxied: true });
  });
  afterAll(() => h.stop());

  const approve = ({ org_id, approval_id }: OpenItem, operator: DecidingOperator) =>
    h.n.client
      .request(commands.approve, {
        org_id,
        approval_id,
        operator,
        reason: null,
        correlation_id: null,
        forever_for: null,
        policy_version: null,
      })
      .then(
        () => 'approved',
        (error: { code: string }) => error.code,
      );
  const status = async ({ org_id, approval_id }: OpenItem) =>
    (await h.n.client.request(commands.approval_status, { org_id, approval_id, agent_id: null })).status;

  it('stop decisions and reads for seconds only; a command answered with an error decides at most once', async () => {
    const org = newId('org');
    const person = await h.member(org);
    const { terms } = requested(org);
    const items = Array.from({ length: 24 }, () =>
      requested(org, 600_000, { terms: { ...terms, approvals_required: 1 } }),
    );
    await h.opened(...items);
    const [first, ...others] = items;
    if (first === undefined) throw new Error('there are requests');
    await eventually(async () => (await approve(first, person)) === 'approved');
    h.proxy.swallow();
    const answers = await Promise.all(others.map((item) => approve(item, person)));
    expect([...new Set(answers)].filter((code) => !['approved', 'UNAVAILABLE'].includes(code))).toEqual([]);
    const decided = ['approved', 'APPROVAL_ALREADY_DECIDED'];
    for (const item of others)
      await eventually(async () => decided.includes(await approve(item, person)), { within: 60_000 });
    for (const item of items) {
      await eventually(async () => (await status(item)) === 'approved', { within: 60_000 });
      expect(await h.typesOf(item)).toEqual(['approval.opened', 'approval.approved']);
    }
  });
});
