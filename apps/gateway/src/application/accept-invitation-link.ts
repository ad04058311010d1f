import { Refused } from '@agentlattice/contracts';
import { memberDecider } from '../domain/member.js';
import type { InvitationLinks } from '../outbound/invitation-links.js';
import { hashPassword, isPassword } from '../outbound/passwords.js';
import {
  metaOfMember,
  type SignInContext,
  startSession,
  type StartedSession,
  tooManyAttempts,
  wrongCredentials,
} from './session-ports.js';
import { noteFailure, type SignInPorts } from './sign-in.js';

export interface AcceptLinkPorts extends SignInPorts {
  readonly links: InvitationLinks;
}

export interface AcceptLink {
  readonly token: string;
  /** Null: as the administrator wrote it. */
  readonly name: string | null;
  readonly password: string;
}

const noLink = () =>
  new Refused('NOT_FOUND', 'this link does not exist, was used or has expired; ask for a new invitation');

/**
 * Accepts an invitation by its link, once, and signs in. Nobody has a password for a new account, so the person sets it. For an
 * account that exists the link is not enough: an administrator has seen it.
 * @throws Refused NOT_FOUND, INVITATION_ANSWERED, INVALID_CREDENTIALS or TOO_MANY_ATTEMPTS
 */
export const makeAcceptInvitationLink =
  (ports: AcceptLinkPorts) =>
  (accepted: AcceptLink, context: SignInContext): Promise<StartedSession> =>
    ports.gate.pass(() => acceptLink(ports, accepted, context));
export type AcceptInvitationLink = ReturnType<typeof makeAcceptInvitationLink>;

async function acceptLink(
  ports: AcceptLinkPorts,
  { token, name, password }: AcceptLink,
  context: SignInContext,
): Promise<StartedSession> {
  const { store, sessions, attempts, links, refresh } = ports;
  const invitation = await links.find(token);
  if (invitation === undefined) throw noLink();
  const { orgId, memberId, personId, passwordHash, unclaimed, mailed, email } = invitation;
  const trier = { email, address: context.client.address };
  if (!unclaimed) {
    const account = { personId, passwordHash, membership: { orgId, memberId } };
    const waitMs = await attempts.reserve(trier);
    if (waitMs > 0) {
      noteFailure(ports, account, 'throttled', context);
      throw tooManyAttempts(waitMs);
    }
    if (!(await isPassword(passwordHash, password))) {
      noteFailure(ports, account, 'password', context);
      throw wrongCredentials();
    }
  }
  const hash = unclaimed ? await hashPassword(password) : null;
  const started = await store.inTransaction(async (tx) => {
    // The account is locked first: of two links for a new one, one sets the password.
    if (!(await sessions.lockAccount(tx, personId, passwordHash))) throw wrongCredentials();
    if (!(await links.use(tx, token))) throw noLink();
    await store.events.updateMany({
      tx,
      decider: memberDecider,
      streams: [{ orgId, streamId: memberId, meta: metaOfMember(memberId, context) }],
      command: () => ({ type: 'AcceptInvitation' as const }),
    });
    await links.claim(tx, personId, { passwordHash: hash, proven: mailed });
    await links.setActive(tx, orgId, memberId, name);
    await links.endAll(tx, orgId, memberId);
    if (!unclaimed) await attempts.succeeded(tx, trier);
    return startSession(ports, tx, { personId, orgId, memberId }, context, 'invitation');
  });
  await refresh();
  return started;
}
