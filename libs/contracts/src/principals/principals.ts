import { z } from 'zod';
import { memberName } from '../approval/approval.js';
import { keyKinds } from '../events/principals.js';
import { instant, operatorRoles, serviceScopes, typeId } from '../primitives.js';

export const agentView = z
  .object({
    id: typeId('agt'),
    name: z.string(),
    description: z.string().nullable(),
    owner_member_id: typeId('mbr').nullable(),
    owner_name: memberName(),
    suspended: z.boolean(),
    suspended_at: instant().nullable().meta({ description: 'Null while it is not suspended' }),
    suspended_reason: z
      .string()
      .nullable()
      .meta({ description: 'The reason of the person who suspended it' }),
    created_at: instant(),
  })
  .meta({ id: 'Agent' });
export type AgentView = z.infer<typeof agentView>;

/** A member who is not `active` has no key and no vote. */
export const membershipStatuses = ['active', 'invited', 'declined'] as const;
export type MembershipStatus = (typeof membershipStatuses)[number];

export const memberView = z
  .object({
    id: typeId('mbr'),
    email: z.string(),
    name: z.string(),
    role: z.enum(operatorRoles),
    groups: z.array(z.string()),
    status: z.enum(membershipStatuses).meta({
      description:
        '`active`; `invited` until a person who has an account already accepts; `declined`. Only an active member has keys and votes.',
    }),
    created_at: instant(),
  })
  .meta({ id: 'Member' });
export type MemberView = z.infer<typeof memberView>;

/** A member who was removed, and the keys that this person may still know. */
export const removedMember = z
  .object({
    id: typeId('mbr'),
    removed: z.literal(true),
    held_keys: z.array(z.object({ id: typeId('key'), name: z.string(), kind: z.enum(keyKinds) })).meta({
      description:
        'Keys of agents, automation and other members that the person made or was shown. They are still valid: rotate or revoke them.',
    }),
  })
  .meta({ id: 'RemovedMember' });
export type RemovedMember = z.infer<typeof removedMember>;

/** The link by which an invited person becomes a member; shown once. */
export const invitationLink = z
  .object({
    link: z.string().meta({ description: 'For the invited person alone. It works once.' }),
    expires_at: instant(),
    mailed: z
      .boolean()
      .meta({ description: 'Whether the mail server accepted a mail with a link of its own' }),
  })
  .meta({ id: 'InvitationLink' });
export type InvitationLink = z.infer<typeof invitationLink>;

export const newMemberView = memberView
  .extend({
    invitation: invitationLink.optional().meta({ description: 'Missing when the request had a password' }),
  })
  .meta({ id: 'NewMember' });
export type NewMemberView = z.infer<typeof newMemberView>;

/** An invitation of the caller to another workspace. */
export const invitationView = z
  .object({
    id: typeId('mbr').meta({ description: 'Of the membership; the member id once it is accepted' }),
    org_id: typeId('org'),
    workspace_name: z.string(),
    role: z.enum(operatorRoles),
    groups: z.array(z.string()),
    status: z
      .enum(['invited', 'declined'])
      .meta({ description: 'A declined invitation can still be accepted' }),
    created_at: instant(),
  })
  .meta({ id: 'Invitation' });
export type InvitationView = z.infer<typeof invitationView>;

/** A key as it can be listed; the key itself is shown once, when it is made. */
export const keyView = z
  .object({
    id: typeId('key'),
    name: z.string(),
    kind: z.enum(keyKinds),
    prefix: z.string().meta({ description: 'The first characters of the key' }),
    role: z.enum(operatorRoles).nullable(),
    scopes: z.array(z.enum(serviceScopes)),
    member_id: typeId('mbr').nullable(),
    member_name: memberName(),
    agent_id: typeId('agt').nullable(),
    made_by: typeId('mbr')
      .nullable()
      .meta({ description: 'The member who is responsible for the key; null where unknown' }),
    made_by_name: memberName(),
    created_at: instant(),
    last_used_at: instant().nullable(),
    expires_at: instant().nullable(),
    revoked_at: instant().nullable(),
  })
  .meta({ id: 'Key' });
export type KeyView = z.infer<typeof keyView>;

export const newKeyView = keyView
  .extend({ key: z.string().meta({ description: 'Shown once' }) })
  .meta({ id: 'NewKey' });
export type NewKeyView = z.infer<typeof newKeyView>;
