import type { DomainEvent, EventData } from '@agentlattice/contracts';
import { assertNever, type Decider, Refused } from '@agentlattice/decider';

export type SessionMethod = EventData<'session.signed_in'>['method'];
export type RevocationReason = EventData<'session.revoked'>['reason'];

export type Session =
  | { readonly status: 'none' }
  | { readonly status: 'live' | 'ended'; readonly id: string; readonly memberId: string };

export type SessionCommand =
  | {
      readonly type: 'StartSession';
      readonly id: string;
      readonly memberId: string;
      readonly method: SessionMethod;
    }
  | { readonly type: 'SignOut' }
  | { readonly type: 'RevokeSession'; readonly reason: RevocationReason };

export type SessionEvent = DomainEvent<'session.signed_in' | 'session.signed_out' | 'session.revoked'>;

/** A session that has ended stays ended; ending it again changes nothing. */
function decide(command: SessionCommand, state: Session): readonly SessionEvent[] {
  switch (command.type) {
    case 'StartSession': {
      if (state.status !== 'none') return [];
      const { id, memberId, method } = command;
      return [{ type: 'session.signed_in', data: { session_id: id, member_id: memberId, method } }];
    }
    case 'SignOut': {
      const known = knownSession(state);
      return known.status === 'ended' ? [] : [{ type: 'session.signed_out', data: ref(known) }];
    }
    case 'RevokeSession': {
      const known = knownSession(state);
      return known.status === 'ended'
        ? []
        : [{ type: 'session.revoked', data: { ...ref(known), reason: command.reason } }];
    }
    default:
      return assertNever(command);
  }
}

function evolve(_state: Session, { type, data }: SessionEvent): Session {
  const { session_id: id, member_id: memberId } = data;
  return { status: type === 'session.signed_in' ? 'live' : 'ended', id, memberId };
}

function knownSession(state: Session): Exclude<Session, { status: 'none' }> {
  if (state.status === 'none') throw new Refused('NOT_FOUND', 'there is no such session');
  return state;
}

const ref = ({ id, memberId }: { id: string; memberId: string }) => ({ session_id: id, member_id: memberId });

export const sessionDecider: Decider<Session, SessionCommand, SessionEvent> = {
  decide,
  evolve,
  initialState: () => ({ status: 'none' }),
};

/** How long sessions live. */
export interface SessionLife {
  /** Without use or extension. */
  readonly idleMs: number;
  /** From the sign-in, whatever happens. */
  readonly mostMs: number;
}

export interface SessionTimes {
  /** Epoch milliseconds; moves with use. */
  readonly expiresAt: number;
  readonly endsAt: number;
}

/** @param endsAt of the session that it replaces, whose life it does not prolong; null after a sign-in */
export function timesOfNewSession(now: number, life: SessionLife, endsAt: number | null): SessionTimes {
  const ends = Math.min(endsAt ?? Number.POSITIVE_INFINITY, now + life.mostMs);
  return { endsAt: ends, expiresAt: Math.min(now + life.idleMs, ends) };
}
