import { approvalServiceCommands as commands, type OpenItem } from '@agentlattice/contracts';
import { eventually } from '@agentlattice/testkit';
import { newId, requested } from '../test/approval-fixture.js';
import { type ApprovalHarness, approvalHarness } from '../test/approval-harness.js';

describe('a request whose history holds an event that this build does not know', () => {
  let h: ApprovalHarness;
  beforeAll(async () => {
    h = await approvalHarness();
  });
  afterAll(() => h.stop());

  /** As a newer release would leave it. */
  const appendUnknown = ({ org_id, approval_id }: OpenItem) =>
    h.pool.query(
      `INSERT INTO event (org_id, stream_id, version, event_id, type, schema_version, data, meta, occurred_at)
       VALUES ($1, $2, 2, $3, 'approval.vote_cast', 9, '{}', '{}', now())`,
      [org_id, approval_id, newId('evt')],
    );
  const rowOf = async ({ org_id, approval_id }: OpenItem) =>
    (
      await h.pool.query<{ status: string }>(
        'SELECT status FROM approval WHERE org_id = $1 AND approval_id = $2',
        [org_id, approval_id],
      )
    ).rows[0]?.status;

  it('is not decided, and does not delay other requests', async () => {
    const org = newId('org');
    const [unreadable, other] = [requested(org, 3_000), requested(org, 3_001)];
    await h.opened(unreadable, other);
    await appendUnknown(unreadable);
    const denial = h.n.client.request(commands.deny, {
      org_id: org,
      approval_id: unreadable.approval_id,
      operator: await h.member(org),
      reason: null,
      correlation_id: null,
    });
    await expect(denial).rejects.toMatchObject({ code: expect.stringMatching(/^(INTERNAL|UNAVAILABLE)$/) });
    await eventually(async () => (await rowOf(other)) === 'timed_out');
    expect(await rowOf(unreadable)).toBe('pending');
    expect(await h.typesOf(unreadable)).toEqual(['approval.opened', 'approval.vote_cast']);
  });

  it('fails its own repeated submission, and no other of the same batch', async () => {
    const org = newId('org');
    const unreadable = requested(org);
    await h.opened(unreadable);
    await appendUnknown(unreadable);
    const again = { ...unreadable, item_id: 'again', replayed: true };
    const other = requested(org);
    await h.opened(again, other);
    expect(h.n.answers.get('again')?.[0]).toMatchObject({ outcome: null, error: { code: 'INTERNAL' } });
    expect(h.n.answers.get(other.item_id)?.[0]?.outcome?.status).toBe('requested');
  });
});
