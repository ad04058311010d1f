import { z } from 'zod';
import { instant, operatorRoles, serviceScopes, typeId } from '../primitives.js';

export const keyKinds = ['operator', 'service', 'agent'] as const;

export const agentRegisteredV1 = z.strictObject({
  agent: z.strictObject({ id: typeId('agt'), name: z.string() }),
  description: z.string().nullable(),
  owner_member_id: typeId('mbr').nullable(),
});
/** What becomes of the requests of a suspended agent that wait for a person. */
export const pendingOnSuspension = ['cancel', 'keep'] as const;
/** Why is erasable and stays with the gateway. */
export const agentSuspendedV1 = z.strictObject({
  agent: z.strictObject({ id: typeId('agt'), name: z.string() }),
  pending: z.enum(pendingOnSuspension),
});
export const agentResumedV1 = z.strictObject({
  agent: z.strictObject({ id: typeId('agt'), name: z.string() }),
});

/** Name and address are erasable and stay with the gateway. */
export const memberCreatedV1 = z.strictObject({
  member_id: typeId('mbr'),
  role: z.enum(operatorRoles),
  groups: z.array(z.string()),
});

/** Somebody who has an account in another workspace already; no member before `member.accepted`. */
export const memberInvitedV1 = memberCreatedV1;
/** By the person: a member from now on. */
export const memberAcceptedV1 = memberCreatedV1;
export const memberDeclinedV1 = z.strictObject({ member_id: typeId('mbr') });

/** In the new workspace's log, and in the log of the workspace whose member made it. */
export const accessWorkspaceCreatedV1 = z.strictObject({
  workspace: z.strictObject({ id: typeId('org'), name: z.string() }),
});

/**
 * A key asked for what it may not do. One event before the answer, and one for all that follow within the minute with the
 * same key at the same route: a key that asks for ever fills no log.
 */
export const accessRefusedV1 = z.strictObject({
  key_id: typeId('key'),
  kind: z.enum(keyKinds),
  /** Set for an agent's key. */
  agent: z.strictObject({ id: typeId('agt'), name: z.string() }).nullable(),
  /** The operation, as the API document names it. */
  route: z.string(),
  count: z.number().int().min(1),
});

export const keyCreatedV1 = z.strictObject({
  key_id: typeId('key'),
  kind: z.enum(keyKinds),
  role: z.enum(operatorRoles).nullable(),
  scopes: z.array(z.enum(serviceScopes)),
  member_id: typeId('mbr').nullable(),
  agent_id: typeId('agt').nullable(),
  expires_at: instant().nullable(),
  /** The member who answers for what is done with the key. */
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
