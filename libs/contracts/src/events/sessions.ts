import { z } from 'zod';
import { typeId } from '../primitives.js';

/** How a session began; `switched`: from a session of the same person in another workspace. */
export const sessionMethods = ['password', 'oidc', 'invitation', 'switched'] as const;
/** Why a session ended before its time, other than by a sign-out. */
export const revocationReasons = ['revoked', 'password_changed', 'member_removed', 'replaced'] as const;
/** Why a sign-in failed; `no_access`: no group of the OIDC claims is mapped. */
export const signInFailures = ['password', 'throttled', 'no_access'] as const;

const session = { session_id: typeId('ses'), member_id: typeId('mbr') };

export const sessionSignedInV1 = z.strictObject({ ...session, method: z.enum(sessionMethods) });
export const sessionSignedOutV1 = z.strictObject(session);
export const sessionRevokedV1 = z.strictObject({ ...session, reason: z.enum(revocationReasons) });

/**
 * A sign-in with the address of a member that failed. One event for the first, and one for all further ones within the minute,
 * so that a flood does not fill the log. Failures with an unknown address belong to no workspace and are in no log.
 */
export const sessionSignInFailedV1 = z.strictObject({
  member_id: typeId('mbr'),
  reason: z.enum(signInFailures),
  count: z.number().int().min(1),
});

/** The person changed the password; all other sessions of the person end. */
export const memberPasswordChangedV1 = z.strictObject({ member_id: typeId('mbr') });
