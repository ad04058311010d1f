import type {
  ActingUnder,
  Actor,
  Caller,
  DecidingOperator,
  OperatorRole,
  ServiceScope,
} from '@agentlattice/contracts';
import { type KeyOrigin, originOf } from './key-maker.js';

/** The client or channel that a request came through (contract §8). */
export type Via = DecidingOperator['via'];

interface Common extends KeyOrigin {
  readonly orgId: string;
  readonly name: string;
  /** Epoch milliseconds at which the key or session expires; null: never. */
  readonly expiresAt: number | null;
}

/** The session of a person who signed in. */
export interface SessionFacts {
  readonly id: string;
  /** Whether another person knows the password that it began with: such a session decides nothing. */
  readonly passwordChangeNeeded: boolean;
}

/** An agent with the agents that it acts for. */
export interface ActingAgent {
  readonly id: string;
  readonly name: string;
  /** It is, or an agent that it acts for. */
  readonly suspended: boolean;
  readonly owner_member_id: string | null;
  /** Null: it acts for no other agent. */
  readonly delegation: ActingUnder | null;
}

/** The caller that a key or a session authenticates. */
export type Principal =
  | (Common & {
      readonly kind: 'agent';
      readonly keyId: string;
      readonly agent: ActingAgent;
      /** Of it or of an agent that it acts for; epoch milliseconds, null when none was suspended ever. */
      readonly resumedAt: number | null;
    })
  | (Common & {
      readonly kind: 'service';
      readonly keyId: string;
      readonly scopes: readonly ServiceScope[];
    })
  | (Common & {
      readonly kind: 'operator';
      /** Null in a session. */
      readonly keyId: string | null;
      /** Missing in a call with a key. */
      readonly session?: SessionFacts;
      readonly memberId: string;
      /** The account behind the membership; not shown to other workspaces. */
      readonly personId: string;
      /** The lesser of the key's role and the member's (decisions §3.3); the member's in a session. */
      readonly role: OperatorRole;
      readonly instanceAdmin: boolean;
    });

const rank: Readonly<Record<OperatorRole, number>> = { viewer: 0, member: 1, admin: 2 };

export const lesserRole = (a: OperatorRole, b: OperatorRole): OperatorRole => (rank[a] <= rank[b] ? a : b);

export type Operator = Extract<Principal, { kind: 'operator' }>;

export const sessionOf = (principal: Principal): SessionFacts | undefined =>
  principal.kind === 'operator' ? principal.session : undefined;

/** The id of the key or session. */
export const credentialOf = (principal: Principal): string =>
  principal.keyId ?? sessionOf(principal)?.id ?? '';

/** Whether a principal is one of those that a route names. */
export function mayCall(principal: Principal, callers: readonly Caller[]): boolean {
  return callers.some((caller) => {
    switch (principal.kind) {
      case 'agent':
        return caller === 'agent';
      case 'service':
        return caller === 'service' || principal.scopes.some((scope) => caller === `service:${scope}`);
      case 'operator':
        if (caller === 'instance_admin') return principal.instanceAdmin;
        return (['viewer', 'member', 'admin'] as const).some(
          (role) => caller === `operator:${role}` && rank[principal.role] >= rank[role],
        );
    }
  });
}

/** The origin of a key that a call with this principal's key makes for the given member, or for none. */
export const originWith = (principal: Principal, memberId: string | null): KeyOrigin =>
  originOf({ ...principal, memberId: principal.kind === 'operator' ? principal.memberId : null }, memberId);

/** The principal as the actor of a change. */
export function actorOf(principal: Principal, via: Via): Actor {
  const { kind, keyId } = principal;
  switch (kind) {
    case 'agent':
      return { kind, id: principal.agent.id, key_id: keyId, via };
    case 'service':
      return { kind, id: null, key_id: keyId, via };
    case 'operator':
      return { kind, id: principal.memberId, key_id: keyId, via };
  }
}

/** The operator as other services are told who acts, or who reads. */
export const decidingOperatorOf = (operator: Operator, via: Via): DecidingOperator => ({
  member_id: operator.memberId,
  key_id: operator.keyId,
  key_made_by: operator.madeBy,
  key_shown_to: [...operator.shownTo],
  role: operator.role,
  via,
});
