import type { EventData, OperatorRole } from '@agentlattice/contracts';
import { keyDecider } from '../domain/key.js';
import { memberDecider } from '../domain/member.js';
import type { NewKey } from '../domain/new-key.js';

/** The stream of a key and the event it begins with. */
export function firstEventOf(key: NewKey) {
  const facts: EventData<'key.created'> = {
    key_id: key.id,
    kind: key.kind,
    role: key.role ?? null,
    scopes: [...(key.scopes ?? [])],
    member_id: key.memberId ?? null,
    agent_id: key.agentId ?? null,
    expires_at: key.expiresAt ?? null,
    made_by: key.madeBy,
    shown_to: [...key.shownTo],
    ...(key.delegationId === undefined || key.delegationId === null
      ? {}
      : { delegation_id: key.delegationId }),
  };
  return { id: key.id, events: keyDecider.decide({ type: 'CreateKey', facts }, keyDecider.initialState()) };
}

/** The stream of a membership and the event it begins with. */
export const firstEventOfMember = (
  type: 'CreateMember' | 'InviteMember',
  { id, role, groups }: { id: string; role: OperatorRole; groups: readonly string[] },
) => ({ id, events: memberDecider.decide({ type, id, role, groups }, memberDecider.initialState()) });

/** The stream of a workspace and the event it begins with. */
export const firstEventOfWorkspace = (id: string, name: string) => ({
  id,
  events: [{ type: 'access.workspace_created', data: { workspace: { id, name } } }] as const,
});
