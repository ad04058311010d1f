import { z } from 'zod';
import { instant, operatorRoles, serviceScopes, typeId } from '../primitives.js';

export const keyKinds = ['operator', 'service', 'agent'] as const;

export const agentRegisteredV1 = z.strictObject({
  agent: z.strictObject({ id: typeId('agt'), name: z.string() }),
  description: z.string().nullable(),
  owner_member_id: typeId('mbr').nullable(),
});
/** What happens to the pending requests of a suspended agent. */
export const pendingOnSuspension = ['cancel', 'keep'] as const;
/** The reason is erasable and is stored only by the gateway. */
export const agentSuspendedV1 = z.strictObject({
  agent: z.strictObject({ id: typeId('agt'), name: z.string() }),
  pending: z.enum(pendingOnSuspension),
});
export const agentResumedV1 = z.strictObject({
  agent: z.strictObject({ id: typeId('agt'), name: z.string() }),
});

/** Name and address are erasable and are stored only by the gateway. */
export const memberCreatedV1 = z.strictObject({
  member_id: typeId('mbr'),
  role: z.enum(operatorRoles),
  groups: z.array(z.string()),
});

/** A person who already has an account in another workspace; not a member before `member.accepted`. */
export const memberInvitedV1 = memberCreatedV1;
/** Accepted by the person, who is a member from now on. */
export const memberAcceptedV1 = memberCreatedV1;
export const memberDeclinedV1 = z.strictObject({ member_id: typeId('mbr') });

/** What an administrator changed of a member; the name is erasable and is stored only by the gateway. */
export const memberUpdatedV1 = memberCreatedV1.extend({
  changed: z.array(z.enum(['name', 'role', 'groups'])).min(1),
});
/** No member any more; also an invitation that was taken back. */
export const memberRemovedV1 = z.strictObject({ member_id: typeId('mbr') });

/** In the log of the new workspace, and in the log of the workspace whose member created it. */
export const accessWorkspaceCreatedV1 = z.strictObject({
  workspace: z.strictObject({ id: typeId('org'), name: z.string() }),
});

/**
 * A call that the key may not make. One event before the answer, and one for all further calls within the minute with the
 * same key at the same route, so that a flood does not fill the log.
 */
export const accessRefusedV1 = z.strictObject({
  key_id: typeId('key'),
  kind: z.enum(keyKinds),
  /** Set for an agent's key. */
  agent: z.strictObject({ id: typeId('agt'), name: z.string() }).nullable(),
  /** The operation id in the API document. */
  route: z.string(),
  count: z.number().int().min(1),
});

/** The same with a session in place of a key: exactly one of the two ids is set. */
export const accessRefusedV2 = accessRefusedV1.extend({
  key_id: typeId('key').nullable(),
  session_id: typeId('ses').nullable(),
});
export const upcastAccessRefusedV1 = (
  data: z.infer<typeof accessRefusedV1>,
): z.infer<typeof accessRefusedV2> => ({ ...data, session_id: null });

export const keyCreatedV1 = z.strictObject({
  key_id: typeId('key'),
  kind: z.enum(keyKinds),
  role: z.enum(operatorRoles).nullable(),
  scopes: z.array(z.enum(serviceScopes)),
  member_id: typeId('mbr').nullable(),
  agent_id: typeId('agt').nullable(),
  expires_at: instant().nullable(),
  /** The member who is responsible for the use of the key. */
  made_by: typeId('mbr').nullable().optional(),
  /** The members who were shown the key, or one that it was made with. */
  shown_to: z.array(typeId('mbr')).optional(),
});
/** The old key works until `overlap_until`; the new one is announced by its own `key.created`. */
export const keyRotatedV1 = z.strictObject({
  key_id: typeId('key'),
  successor_id: typeId('key'),
  overlap_until: instant(),
});
export const keyRevokedV1 = z.strictObject({ key_id: typeId('key') });
