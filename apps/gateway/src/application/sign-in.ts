import type { EventData } from '@agentlattice/contracts';
import type { EventMeta } from '@agentlattice/event-store';
import { isPassword } from '../outbound/passwords.js';
import type { Account } from '../outbound/session-store.js';
import type { SignInGate } from './sign-in-gate.js';
import type { RefusedAccess } from './refused-access.js';
import {
  type SessionPorts,
  type SignInContext,
  startSession,
  type StartedSession,
  tooManyAttempts,
  wrongCredentials,
} from './session-ports.js';

export interface SignInPorts extends SessionPorts {
  readonly refused: Pick<RefusedAccess, 'note'>;
  readonly gate: SignInGate;
}

export interface Credentials {
  readonly email: string;
  readonly password: string;
}

/**
 * Signs a person in by a password. Every failure takes the same steps until its answer: the query of the account, the count
 * of the try, and the hash. The entry in the log is written after the answer, because only known accounts have one; the count
 * is on disk before.
 * @throws Refused INVALID_CREDENTIALS or TOO_MANY_ATTEMPTS
 */
export const makeSignIn =
  (ports: SignInPorts) =>
  (credentials: Credentials, context: SignInContext): Promise<StartedSession> =>
    ports.gate.pass(() => signIn(ports, credentials, context));
export type SignIn = ReturnType<typeof makeSignIn>;

async function signIn(
  ports: SignInPorts,
  { email, password }: Credentials,
  context: SignInContext,
): Promise<StartedSession> {
  const { sessions, attempts, store } = ports;
  const account = await sessions.account(email);
  const trier = { email, address: context.client.address };
  const waitMs = await attempts.reserve(trier);
  if (waitMs > 0) {
    noteFailure(ports, account, 'throttled', context);
    throw tooManyAttempts(waitMs);
  }
  const isRight = await isPassword(account?.passwordHash ?? null, password);
  const membership = account?.membership ?? null;
  if (!isRight || account === undefined || membership === null) {
    noteFailure(ports, account, 'password', context);
    throw wrongCredentials();
  }
  const { personId, passwordHash } = account;
  return await store.inTransaction(async (tx) => {
    // A password that was changed meanwhile begins no session.
    if (!(await sessions.lockAccount(tx, personId, passwordHash))) throw wrongCredentials();
    await attempts.succeeded(tx, trier);
    return await startSession(ports, tx, { personId, ...membership }, context, 'password');
  });
}

/** Not awaited: see above. It never rejects. */
export function noteFailure(
  { refused }: Pick<SignInPorts, 'refused'>,
  account: Account | undefined,
  reason: EventData<'session.sign_in_failed'>['reason'],
  { correlationId, traceparent }: SignInContext,
): void {
  const membership = account?.membership ?? null;
  if (membership === null) return;
  const meta: EventMeta = {
    actor: { kind: 'system', id: null, key_id: null, via: 'system' },
    correlation_id: correlationId,
    traceparent,
  };
  void refused.note({
    orgId: membership.orgId,
    meta,
    type: 'session.sign_in_failed',
    facts: { member_id: membership.memberId, reason },
  });
}
