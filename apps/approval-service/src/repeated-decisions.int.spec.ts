import {
  type ApprovalView,
  approvalServiceCommands as commands,
  type DecidingOperator,
  type OpenItem,
} from '@agentlattice/contracts';
import { newId, requested } from '../test/approval-fixture.js';
import { type ApprovalHarness, approvalHarness } from '../test/approval-harness.js';

/** The gateway sends a decision again while no answer comes; both may arrive, at one replica or at two. */
describe('a decision that arrives several times', () => {
  let harness: ApprovalHarness;
  const org = newId('org');
  let numbers = 0;
  const newCorrelation = () => `req_${String((numbers += 1))}`;
  beforeAll(async () => {
    harness = await approvalHarness();
    await harness.replica();
  });
  afterAll(() => harness.stop());

  const opened = async (approvals_required = 1) => {
    const item = requested(org, 60_000);
    const needed = { ...item, terms: { ...item.terms, approvals_required } };
    await harness.opened(needed);
    return needed;
  };
  const decisionOf = (
    { org_id, approval_id }: OpenItem,
    operator: DecidingOperator,
    correlation_id: string | null,
  ) => ({
    ...{ org_id, approval_id, operator, correlation_id },
    reason: 'seen',
  });
  const approve = (...of: Parameters<typeof decisionOf>) =>
    harness.n.client.request(commands.approve, {
      ...decisionOf(...of),
      forever_for: null,
      policy_version: null,
    });
  const deny = (...of: Parameters<typeof decisionOf>) =>
    harness.n.client.request(commands.deny, decisionOf(...of));
  /** Ten at once, and one afterwards. */
  const often = async <T>(send: () => Promise<T>): Promise<T[]> => [
    ...(await Promise.all(Array.from({ length: 10 }, send))),
    await send(),
  ];

  it.each([
    ['approval', approve, 'approved'],
    ['denial', deny, 'denied'],
  ] as const)('is one %s, with the answer of once', async (_, decide, status) => {
    const [item, anna] = await Promise.all([opened(), harness.member(org)]);
    const correlation = newCorrelation();
    const answers = (await often(() => decide(item, anna, correlation))) as ApprovalView[];
    expect(answers[0]).toMatchObject({ status, resolved_by: anna.member_id, reason: 'seen' });
    for (const answer of answers) expect(answer).toEqual(answers[0]);
    expect(await harness.typesOf(item)).toEqual(['approval.opened', `approval.${status}`]);
  });

  it('is one vote, which is withdrawn once', async () => {
    const [item, anna] = await Promise.all([opened(2), harness.member(org)]);
    const [vote, withdrawal] = [newCorrelation(), newCorrelation()];
    const votes = await often(() => approve(item, anna, vote));
    for (const answer of votes)
      expect(answer).toMatchObject({ status: 'pending', approvals: { have: 1, need: 2 } });
    const withdrawals = await often(() => {
      const { reason: _, ...withdraw } = decisionOf(item, anna, withdrawal);
      return harness.n.client.request(commands.withdraw_vote, withdraw);
    });
    for (const answer of withdrawals) expect(answer).toMatchObject({ approvals: { have: 0, need: 2 } });
    expect(await harness.typesOf(item)).toEqual([
      'approval.opened',
      'approval.vote_cast',
      'approval.vote_withdrawn',
    ]);
  });

  it('is one cancellation', async () => {
    const item = await opened();
    const correlation_id = newCorrelation();
    const { org_id, approval_id, agent } = item;
    const answers = await often(() =>
      harness.n.client.request(commands.cancel, {
        ...{ org_id, approval_id, agent_id: agent.id, key_id: null, reason: null, correlation_id },
      }),
    );
    for (const answer of answers)
      expect(answer).toMatchObject({ status: 'denied', denial_reason: 'CANCELLED' });
    expect(await harness.typesOf(item)).toEqual(['approval.opened', 'approval.cancelled']);
  });

  it('is a vote whose request others have decided by then', async () => {
    const [item, anna, ben] = await Promise.all([opened(2), harness.member(org), harness.member(org)]);
    const vote = newCorrelation();
    await approve(item, anna, vote);
    await approve(item, ben, newCorrelation());
    expect(await approve(item, anna, vote)).toMatchObject({ status: 'approved', resolved_by: ben.member_id });
  });

  it('is refused when another person or another request of the same person sends it', async () => {
    const [item, anna, ben] = await Promise.all([opened(), harness.member(org), harness.member(org)]);
    const correlation = newCorrelation();
    await approve(item, anna, correlation);
    const refused = { code: 'APPROVAL_ALREADY_DECIDED' };
    await expect(approve(item, ben, correlation)).rejects.toMatchObject(refused);
    await expect(approve(item, anna, newCorrelation())).rejects.toMatchObject(refused);
    const unmarked = await opened();
    await approve(unmarked, anna, null);
    await expect(approve(unmarked, anna, null)).rejects.toMatchObject(refused);
  });
});
