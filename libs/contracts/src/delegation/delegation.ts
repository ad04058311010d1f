import { z } from 'zod';
import { actionPattern, instant, typeId } from '../primitives.js';

/** The part that an agent has in a delegation. */
export const delegationRoles = ['parent', 'child'] as const;

/** Most delegations that are live at the same time below one agent that acts for no other. */
export const maxLiveDelegations = 1_000;
export const maxDelegationSeconds = 86_400;

/** The action types that a child may ask for: patterns as in policies. */
export const delegationCapabilities = z.array(actionPattern()).min(1).max(100);
export const delegationTtl = z.number().int().min(1).max(maxDelegationSeconds).meta({
  description:
    'How long the child may act, in seconds; it ends with the delegation of the parent at the latest',
});

export const delegationView = z
  .object({
    id: typeId('del'),
    scope: z.object({
      capabilities: z
        .array(z.string())
        .meta({ description: 'Action types that the child may ask for, as patterns of policies' }),
    }),
    created_at: instant(),
    expires_at: instant(),
    active: z
      .boolean()
      .meta({ description: 'Neither it nor a delegation above it was revoked or has expired' }),
    revoked_at: instant().nullable(),
    parent_config_id: typeId('agt').meta({ description: 'The agent that the child acts for' }),
    child_config_id: typeId('agt'),
    child_name: z.string(),
    parent_delegation_id: typeId('del')
      .nullable()
      .meta({ description: 'The delegation of the parent; null when it acts for no other agent' }),
  })
  .meta({ id: 'Delegation' });
export type DelegationView = z.infer<typeof delegationView>;

/** `revoked` is false when the delegation had expired before. */
export const revokedDelegation = z
  .object({ revoked: z.boolean(), delegation_id: typeId('del') })
  .meta({ id: 'RevokedDelegation' });
