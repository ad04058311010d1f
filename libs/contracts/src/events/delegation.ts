import { z } from 'zod';
import { delegationCapabilities } from '../delegation/delegation.js';
import { instant, typeId } from '../primitives.js';

const agent = z.strictObject({ id: typeId('agt'), name: z.string() });

/** In every event of a delegation, so that a reader needs no earlier event. */
const subject = {
  delegation_id: typeId('del'),
  /** The child. */
  agent,
  /** The agents that it acts for: the first one first, the parent last. */
  acting_for: z.array(agent).min(1),
};

export const delegationCreatedV1 = z.strictObject({
  ...subject,
  /** The delegations above it, the first one first; empty when the parent acts for no other agent. */
  above: z.array(typeId('del')),
  capabilities: delegationCapabilities,
  expires_at: instant(),
});
export const delegationRevokedV1 = z.strictObject({
  ...subject,
  /** The delegation above it that was revoked; null when this one was. */
  revoked_with: typeId('del').nullable(),
});
export const delegationExpiredV1 = z.strictObject({ ...subject, expires_at: instant() });
