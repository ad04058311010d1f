import { z } from 'zod';
import { instant, operatorRoles, typeId } from '../primitives.js';

/**
 * The prefix makes browsers refuse the cookie unless it is Secure, of this host alone and of the whole site (RFC 6265bis §4.1.3).
 */
export const sessionCookieName = '__Host-al_session';

/** The session of the caller, with what a page needs to show and to call the API. */
export const sessionView = z
  .object({
    id: typeId('ses'),
    org_id: typeId('org'),
    workspace_name: z.string(),
    email: z.string(),
    member: z.object({
      id: typeId('mbr'),
      name: z.string(),
      role: z.enum(operatorRoles),
      groups: z.array(z.string()),
    }),
    workspaces: z
      .array(z.object({ org_id: typeId('org'), name: z.string(), role: z.enum(operatorRoles) }))
      .meta({
        description: 'The workspaces that the person is a member of; POST /session/workspace switches',
      }),
    password_change_needed: z.boolean().meta({
      description:
        'Whether the password was set by another person. The session then decides no request until the person has changed it.',
    }),
    expires_at: instant().meta({
      description:
        'When the session ends unless it is used or extended; it moves with use, up to the end of its life',
    }),
    now: instant().meta({ description: 'The time of the server' }),
    csrf_token: z
      .string()
      .meta({ description: 'For the header X-CSRF-Token of every request that is not GET or HEAD' }),
  })
  .meta({ id: 'Session' });
export type SessionView = z.infer<typeof sessionView>;

/** A session of the caller as it can be listed. */
export const sessionItem = z
  .object({
    id: typeId('ses'),
    created_at: instant(),
    last_used_at: instant(),
    expires_at: instant(),
    address: z.string().nullable().meta({ description: 'The network address of the sign-in' }),
    user_agent: z.string().nullable(),
    current: z.boolean().meta({ description: 'Whether this call was made with it' }),
  })
  .meta({ id: 'SessionItem' });
export type SessionItem = z.infer<typeof sessionItem>;

/** Long enough to be safe, short enough that argon2 cannot be abused to use up the processor. */
export const newPassword = () => z.string().min(12).max(256);
