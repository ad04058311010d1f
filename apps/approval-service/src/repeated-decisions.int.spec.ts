import { randomUUID } from 'node:crypto';
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
  /** A client may send the same X-Request-ID with all of its requests. */
  const correlation_id = 'req_1';
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
  const voteOf = ({ org_id, approval_id }: OpenItem, operator: DecidingOperator) => ({
    ...{ org_id, approval_id, operator, correlation_id },
  });
  const approve = (item: OpenItem, operator: DecidingOperator, commandId: string) =>
    harness.n.client.request(
      commands.approve,
      { ...voteOf(item, operator), reason: 'seen', forever_for: null, policy_version: null },
      { commandId },
    );
  const deny = (item: OpenItem, operator: DecidingOperator, commandId: string) =>
    harness.n.client.request(commands.deny, { ...voteOf(item, operator), reason: 'seen' }, { commandId });
  const withdraw = (item: OpenItem, operator: DecidingOperator, commandId: string) =>
    harness.n.client.request(commands.withdraw_vote, voteOf(item, operator), { commandId });
  const cancel = ({ org_id, approval_id, agent, correlation_id }: OpenItem, commandId: string) =>
    harness.n.client.request(
      commands.cancel,
      { ...{ org_id, approval_id, agent_id: agent.id, key_id: null, reason: null, correlation_id } },
      { commandId },
    );
  /** Ten at once, and one afterwards. */
  const often = async <T>(send: () => Promise<T>): Promise<T[]> => [
    ...(await Promise.all(Array.from({ length: 10 }, send))),
    await send(),
  ];

  it.each([
    ['approval', approve, 'approved'],
    ['denial', deny, 'denied'],
  ] as const)('is one %s, with the answer of once', async (_, decide, status) => {
    const [item, anna, id] = await Promise.all([opened(), harness.member(org), randomUUID()]);
    const answers = (await often(() => decide(item, anna, id))) as ApprovalView[];
    expect(answers[0]).toMatchObject({ status, resolved_by: anna.member_id, reason: 'seen' });
    for (const answer of answers) expect(answer).toEqual(answers[0]);
    expect(await harness.typesOf(item)).toEqual(['approval.opened', `approval.${status}`]);
  });

  it('is one vote, which is withdrawn once', async () => {
    const [item, anna] = await Promise.all([opened(2), harness.member(org)]);
    const [vote, withdrawal] = [randomUUID(), randomUUID()];
    const votes = await often(() => approve(item, anna, vote));
    for (const answer of votes)
      expect(answer).toMatchObject({ status: 'pending', approvals: { have: 1, need: 2 } });
    const withdrawals = await often(() => withdraw(item, anna, withdrawal));
    for (const answer of withdrawals) expect(answer).toMatchObject({ approvals: { have: 0, need: 2 } });
    expect(await harness.typesOf(item)).toEqual([
      'approval.opened',
      'approval.vote_cast',
      'approval.vote_withdrawn',
    ]);
  });

  it('is one cancellation', async () => {
    const [item, id] = [await opened(), randomUUID()];
    const answers = await often(() => cancel(item, id));
    for (const answer of answers)
      expect(answer).toMatchObject({ status: 'denied', denial_reason: 'CANCELLED' });
    expect(await harness.typesOf(item)).toEqual(['approval.opened', 'approval.cancelled']);
  });

  it('is a vote whose request others have decided by then', async () => {
    const [item, anna, ben] = await Promise.all([opened(2), harness.member(org), harness.member(org)]);
    const vote = randomUUID();
    await approve(item, anna, vote);
    await approve(item, ben, randomUUID());
    expect(await approve(item, anna, vote)).toMatchObject({ status: 'approved', resolved_by: ben.member_id });
  });

  it('is no second vote when the person has withdrawn the first one by then', async () => {
    const [item, anna] = await Promise.all([opened(2), harness.member(org)]);
    const [vote, withdrawal] = [randomUUID(), randomUUID()];
    await approve(item, anna, vote);
    await withdraw(item, anna, withdrawal);
    expect(await approve(item, anna, vote)).toMatchObject({ status: 'pending', approvals: { have: 0 } });
    await approve(item, anna, randomUUID());
    await withdraw(item, anna, withdrawal);
    expect(await harness.typesOf(item)).toEqual([
      'approval.opened',
      'approval.vote_cast',
      'approval.vote_withdrawn',
      'approval.vote_cast',
    ]);
  });

  it('is a withdrawal with the votes of that time, whose request others have decided by then', async () => {
    const [item, anna, ben] = await Promise.all([opened(2), harness.member(org), harness.member(org)]);
    const withdrawal = randomUUID();
    await approve(item, anna, randomUUID());
    const answer = await withdraw(item, anna, withdrawal);
    await deny(item, ben, randomUUID());
    expect(await withdraw(item, anna, withdrawal)).toEqual(answer);
  });

  it('is refused when it is another command, also with the correlation id of the first one', async () => {
    const [item, anna, ben] = await Promise.all([opened(), harness.member(org), harness.member(org)]);
    await approve(item, anna, randomUUID());
    const refused = { code: 'APPROVAL_ALREADY_DECIDED' };
    await expect(approve(item, ben, randomUUID())).rejects.toMatchObject(refused);
    await expect(approve(item, anna, randomUUID())).rejects.toMatchObject(refused);
    await expect(deny(item, anna, randomUUID())).rejects.toMatchObject(refused);
    // The submission has the actor and the correlation id of this one.
    await expect(cancel(item, randomUUID())).rejects.toMatchObject(refused);
  });
});
