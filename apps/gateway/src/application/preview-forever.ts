import {
  approvalServiceCommands,
  type CommandRequest,
  type ForeverPreview,
  policyEngineCommands,
} from '@agentlattice/contracts';
import type { CommandClient } from '@agentlattice/messaging';

type Asked = CommandRequest<typeof approvalServiceCommands.forever_reach>;

const mostMs = 5_000;

/** What an approval for ever would reach, and what it would do to the policies. */
export async function previewForever(
  commands: Pick<CommandClient, 'request'>,
  asked: Asked,
): Promise<ForeverPreview> {
  const { org_id, approval_id, forever_for } = asked;
  const reach = await commands.request(approvalServiceCommands.forever_reach, asked, { timeoutMs: mostMs });
  const plan = await commands.request(policyEngineCommands.plan_forever, {
    org_id,
    approval_id,
    policy_id: reach.policy.id,
    policy_version: reach.policy.version,
    action_type: reach.action_type,
    forever_for,
  });
  return { ...reach, forever_for, plan };
}
