import { hash, randomBytes } from 'node:crypto';
import { type Actor, Refused } from '@agentlattice/contracts';
import type { EventMeta, Tx } from '@agentlattice/event-store';
import { typeid } from 'typeid-js';
import {
  type SessionCommand,
  sessionDecider,
  type SessionLife,
  type SessionMethod,
  timesOfNewSession,
} from '../domain/session.js';
import {
  type Client,
  type LiveSession,
  type SessionStore,
  setSessionsEnded,
} from '../outbound/session-store.js';
import type { SignInAttempts } from '../outbound/sign-in-attempts.js';
import type { PrincipalPorts } from './principal-ports.js';

export interface SessionPorts extends PrincipalPorts {
  readonly sessions: SessionStore;
  readonly attempts: SignInAttempts;
  readonly life: SessionLife;
}

/** The request by which a session begins. */
export interface SignInContext {
  readonly client: Client;
  readonly correlationId: string;
  readonly traceparent: string | null;
}

/** A person in a workspace. */
export interface SignedInMember {
  readonly personId: string;
  readonly orgId: string;
  readonly memberId: string;
}

export interface StartedSession {
  readonly id: string;
  /** Of the cookie; stored nowhere. */
  readonly token: string;
  readonly endsAt: number;
}

const tokenPrefix = 'al_ses_';

export const metaOfMember = (
  memberId: string,
  { correlationId, traceparent }: Pick<SignInContext, 'correlationId' | 'traceparent'>,
): EventMeta & { readonly actor: Actor } => ({
  actor: { kind: 'operator', id: memberId, key_id: null, via: 'dashboard' },
  correlation_id: correlationId,
  traceparent,
});

/**
 * Starts a session, in the transaction that checked the person.
 * @param replaced the session that this one replaces, whose life it does not prolong
 * @throws Refused INVALID_CREDENTIALS when the person is no member of the workspace any more
 */
export async function startSession(
  { store, sessions, life }: SessionPorts,
  tx: Tx,
  member: SignedInMember,
  context: SignInContext,
  method: SessionMethod,
  replaced: { readonly endsAt: Date; readonly method: string } | null = null,
): Promise<StartedSession> {
  const { personId, orgId, memberId } = member;
  if (!(await sessions.lockMembership(tx, personId, orgId, memberId))) throw wrongCredentials();
  const id = typeid('ses').toString();
  const token = `${tokenPrefix}${randomBytes(32).toString('base64url')}`;
  const started = sessionDecider.decide(
    { type: 'StartSession', id, memberId, method },
    sessionDecider.initialState(),
  );
  const now = await store.begin(tx, orgId, metaOfMember(memberId, context), [{ id, events: started }]);
  const times = timesOfNewSession(now.getTime(), life, replaced?.endsAt.getTime() ?? null);
  await sessions.insert(tx, {
    ...{ id, personId, orgId, memberId, createdAt: now },
    ...{ hash: hash('sha256', token, 'buffer'), method: replaced?.method ?? proofOf(method) },
    ...context.client,
    ...times,
  });
  return { id, token, endsAt: times.endsAt };
}

/** An invitation is accepted with a password. */
const proofOf = (method: SessionMethod): SessionMethod => (method === 'invitation' ? 'password' : method);

/** Ends sessions, each by an entry in the log of its workspace. @returns how many of them had not ended before */
export async function endSessions(
  { store }: Pick<SessionPorts, 'store'>,
  tx: Tx,
  ending: readonly LiveSession[],
  command: Exclude<SessionCommand, { type: 'StartSession' }>,
  metaOf: (session: LiveSession) => EventMeta,
): Promise<number> {
  if (ending.length === 0) return 0;
  const { events } = await store.events.updateMany({
    tx,
    decider: sessionDecider,
    streams: ending.map((session) => ({
      orgId: session.orgId,
      streamId: session.id,
      meta: metaOf(session),
    })),
    command: () => command,
  });
  await setSessionsEnded(
    tx,
    ending.map(({ id }) => id),
  );
  return events.length;
}

export const wrongCredentials = () =>
  new Refused('INVALID_CREDENTIALS', 'E-mail or password is not correct.');

/** The pause as a person reads it, and as `Retry-After` and the body say it. */
export function tooManyAttempts(waitMs: number): Refused {
  const seconds = Math.max(1, Math.ceil(waitMs / 1_000));
  const text = seconds < 120 ? `${String(seconds)} s` : `${String(Math.ceil(seconds / 60))} min`;
  return new Refused('TOO_MANY_ATTEMPTS', `Too many tries. Try again in ${text}.`, {
    extra: { retry_after_seconds: seconds },
  });
}
