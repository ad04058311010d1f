import { approvalServiceCommands, type Command, policyEngineCommands } from '@agentlattice/contracts';
import { type ApproveRequestPorts, makeApproveRequest } from './approve-request.js';

const anna = 'mbr_01m88r2x01f6ftfm2r74t5dha4';
const ben = 'mbr_01m88r2x02f6ftfm2r74t5dha4';
const decision = {
  org_id: 'org_01m88r2x07f6ftfm2r74t5dha4',
  approval_id: 'apr_01m88r2x07f6ftfm2r74t5dha4',
  operator: { member_id: anna, key_id: null, role: 'admin', via: 'dashboard' } as const,
  reason: null,
  correlation_id: 'req_1',
};
const policy = { id: 'pol_01m88r2x07f6ftfm2r74t5dha4', version: 3 };

/** Approves forever, where the approval-service answers with this. @returns the commands that were sent */
async function sentWhenAnswered(answer: object): Promise<string[]> {
  const sent: string[] = [];
  const request = (command: Command) => {
    sent.push(command.subject);
    return Promise.resolve(
      command.verb === 'approve'
        ? { id: decision.approval_id, action_type: 'ship.it', policy, ...answer }
        : {},
    );
  };
  const ports: ApproveRequestPorts = { commands: { request: request as never } };
  await makeApproveRequest(ports)(decision, { foreverFor: 'policy', policyVersion: null });
  return sent;
}

describe('an approval forever', () => {
  const { approve } = approvalServiceCommands;
  const { allow_forever } = policyEngineCommands;

  it('changes the policy when it was the decision', async () => {
    const decided = { status: 'approved', scope: 'forever', resolved_by: anna };
    expect(await sentWhenAnswered(decided)).toEqual([approve.subject, allow_forever.subject]);
  });

  // A vote that is sent again is answered by what others have decided since.
  it.each([
    ['was withdrawn, and others approved once', { status: 'approved', scope: 'once', resolved_by: ben }],
    ['is completed by the vote of another one', { status: 'approved', scope: 'forever', resolved_by: ben }],
    ['meets a denial', { status: 'denied', scope: null, resolved_by: ben }],
  ])('leaves the policy alone when the vote %s', async (_, decided) => {
    expect(await sentWhenAnswered(decided)).toEqual([approve.subject]);
  });
});
