import type { OperatorRole } from '@agentlattice/contracts';

/** As much of an operator's key as says in whose hands it is. */
export interface HeldKey {
  readonly memberId: string;
  /** The member who answers for what is done with it; null where nobody knows. */
  readonly madeBy: string | null;
}

/** Whether nobody but the member was ever shown the key. */
export const isOwn = ({ memberId, madeBy }: HeldKey): boolean => madeBy === memberId;

/**
 * Who answers for a key that is made with another, or replaces it. The maker was shown the key, and so was whoever made
 * the key it was made with: a key is the member's own only if it was made with one that is. Otherwise somebody would
 * make a key for a colleague, and with it one that looks as if the colleague had made it.
 * @param used the operator's key it is made with
 * @param memberId of an operator's key; null for a service or an agent
 */
export function makerOf(used: HeldKey, memberId: string | null): string | null {
  if (isOwn(used)) return used.memberId;
  return used.madeBy === memberId ? used.memberId : used.madeBy;
}

/** What decides whether a key carries the rights of its person over the instance. */
export interface InstanceClaim extends HeldKey {
  readonly orgId: string;
  /** The lesser of the key's role and the member's. */
  readonly role: OperatorRole;
  readonly person: {
    readonly instanceAdmin: boolean;
    /** Where the account was made. */
    readonly homeOrgId: string | null;
  };
}

/**
 * Whether a key may make workspaces. The flag is a person's, keys are given out by administrators: it counts for a key
 * that the person made, with the full role, in the workspace where the account was made, and for no other.
 */
export const carriesInstanceRights = ({ orgId, role, person, ...key }: InstanceClaim): boolean =>
  person.instanceAdmin && person.homeOrgId === orgId && role === 'admin' && isOwn(key);
