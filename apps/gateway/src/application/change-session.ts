import { Refused, type SessionItem } from '@agentlattice/contracts';
import { memberDecider } from '../domain/member.js';
import type { SessionCommand } from '../domain/session.js';
import { hashPassword, isPassword } from '../outbound/passwords.js';
import { type LiveSession, liveSessionsOf, type StoredSessionView } from '../outbound/session-store.js';
import {
  endSessions,
  metaOfMember,
  type SignInContext,
  startSession,
  type StartedSession,
  tooManyAttempts,
  wrongCredentials,
} from './session-ports.js';
import { noteFailure, type SignInPorts } from './sign-in.js';

/** The person of a session, and the session. */
export interface SessionCaller {
  readonly sessionId: string;
  readonly personId: string;
  readonly orgId: string;
  readonly memberId: string;
}

const noSession = () => new Refused('NOT_FOUND', 'there is no such session');

/** What people do with their own sessions. A session of another person does not exist for them. */
export function makeSessionUseCases(ports: SignInPorts) {
  const { store, sessions, attempts, life, refresh } = ports;

  const view = async (sessionId: string): Promise<StoredSessionView> => {
    const found = await sessions.view(sessionId);
    if (found === undefined) throw noSession();
    return found;
  };

  const end = async (
    caller: Pick<SessionCaller, 'personId'>,
    sessionId: string,
    command: Exclude<SessionCommand, { type: 'StartSession' }>,
    context: SignInContext,
  ): Promise<string> => {
    const found = await sessions.findLive(caller.personId, sessionId);
    if (found === undefined) throw noSession();
    const ended = await store.inTransaction(async (tx) => {
      await sessions.lockPerson(tx, caller.personId);
      return endSessions(ports, tx, [found], command, metaOfOwn(context));
    });
    await refresh();
    // Otherwise the answer would be that it ended, while the session that replaced it goes on.
    if (ended === 0) throw noSession();
    return found.id;
  };

  return {
    view,
    list: ({ personId, sessionId }: SessionCaller): Promise<SessionItem[]> =>
      sessions.list(personId, sessionId),

    async extend({ sessionId }: SessionCaller): Promise<StoredSessionView> {
      await sessions.extend(sessionId, life.idleMs);
      return view(sessionId);
    },

    signOut: (caller: SessionCaller, context: SignInContext): Promise<string> =>
      end(caller, caller.sessionId, { type: 'SignOut' }, context),

    revoke: (caller: SessionCaller, sessionId: string, context: SignInContext): Promise<string> =>
      end(caller, sessionId, { type: 'RevokeSession', reason: 'revoked' }, context),

    /** The new session lives no longer than the one that it replaces. */
    async switchWorkspace(
      { personId, sessionId }: SessionCaller,
      orgId: string,
      context: SignInContext,
    ): Promise<StartedSession> {
      const current = await sessions.findLive(personId, sessionId);
      if (current === undefined) throw noSession();
      const memberId = await sessions.membershipIn(personId, orgId, current.method);
      if (memberId === undefined) throw new Refused('NOT_FOUND', 'you are a member of no such workspace');
      const started = await store.inTransaction(async (tx) => {
        await sessions.lockPerson(tx, personId);
        // One that ended meanwhile, or was replaced already, begins no other.
        if ((await endSessions(ports, tx, [current], replaced, metaOfOwn(context))) === 0) throw noSession();
        return startSession(ports, tx, { personId, orgId, memberId }, context, 'switched', current);
      });
      await refresh();
      return started;
    },

    /**
     * Ends all sessions of the person, and replaces the one of the caller.
     * @throws Refused INVALID_CREDENTIALS or TOO_MANY_ATTEMPTS
     */
    async changePassword(
      caller: SessionCaller,
      { current, next }: { readonly current: string; readonly next: string },
      context: SignInContext,
    ): Promise<StartedSession> {
      const { personId, orgId, memberId, sessionId } = caller;
      const [account, { email }] = await Promise.all([sessions.accountOf(personId), view(sessionId)]);
      if (account === undefined) throw noSession();
      const trier = { email, address: context.client.address };
      const waitMs = await attempts.reserve(trier);
      if (waitMs > 0) {
        noteFailure(ports, account, 'throttled', context);
        throw tooManyAttempts(waitMs);
      }
      if (!(await isPassword(account.passwordHash, current))) {
        noteFailure(ports, account, 'password', context);
        throw new Refused('INVALID_CREDENTIALS', 'The current password is not correct.');
      }
      const hash = await hashPassword(next);
      const started = await store.inTransaction(async (tx) => {
        if (!(await sessions.lockAccount(tx, personId, account.passwordHash))) throw wrongCredentials();
        await attempts.succeeded(tx, trier);
        await sessions.setPassword(tx, personId, hash);
        const ending = await liveSessionsOf(tx, personId);
        const own = ending.some(({ id }) => id === sessionId);
        // Ended meanwhile: the change must not begin a new session.
        if (!own) throw noSession();
        // First the stream of the member, as removing a member does: two changes wait for each other in one order.
        await store.events.updateMany({
          tx,
          decider: memberDecider,
          streams: [{ orgId, streamId: memberId, meta: metaOfMember(memberId, context) }],
          command: () => ({ type: 'ChangePassword' as const }),
        });
        await endSessions(ports, tx, ending, passwordChanged, metaOfOwn(context));
        return startSession(ports, tx, { personId, orgId, memberId }, context, 'password');
      });
      await refresh();
      return started;
    },
  };
}
export type SessionUseCases = ReturnType<typeof makeSessionUseCases>;

const replaced = { type: 'RevokeSession', reason: 'replaced' } as const;
const passwordChanged = { type: 'RevokeSession', reason: 'password_changed' } as const;

/** In each workspace the person acts as the member there. */
const metaOfOwn =
  (context: SignInContext) =>
  ({ memberId }: LiveSession) =>
    metaOfMember(memberId, context);
