import type { OperatorRole } from '@agentlattice/contracts';

/** Where a key comes from. */
export interface KeyOrigin {
  /** The member who answers for what is done with the key; null where it is not known. */
  readonly madeBy: string | null;
  /** An operator's key that was never shown to anyone but its member. */
  readonly own: boolean;
  /**
   * The members who were shown the key when it was made, or one that it was made with: each of them may use it. In addition
   * the member of the key may use it, and an agent's key the members who may have registered the agent.
   */
  readonly shownTo: readonly string[];
}

/** The members who may use a key, beside the member whose key it is. */
export const holdersOf = ({ madeBy, shownTo }: Pick<KeyOrigin, 'madeBy' | 'shownTo'>): string[] => [
  ...new Set([...(madeBy === null ? [] : [madeBy]), ...shownTo]),
];

export const ownedBy = (memberId: string): KeyOrigin => ({
  madeBy: memberId,
  own: true,
  shownTo: [memberId],
});

/**
 * The origin of a key that is made with another, or replaces one. The maker was shown the key, and so was the maker of the
 * key that it was made with. It is the member's own only if it was made with one that is. Otherwise a person could make a
 * key for a colleague, and with that key another one that looks as if the colleague had made it.
 * @param used the key it is made with
 * @param memberId of an operator's key; null for a service or an agent
 */
export const originOf = (
  used: KeyOrigin & { readonly memberId: string | null },
  memberId: string | null,
): KeyOrigin => ({
  madeBy: used.madeBy,
  own: used.own && used.memberId !== null && used.memberId === memberId,
  shownTo: [...new Set([...used.shownTo, ...(used.memberId === null ? [] : [used.memberId])])],
});

/** What decides whether a key carries the rights of its person over the instance. */
export interface InstanceClaim {
  readonly own: boolean;
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
export const carriesInstanceRights = ({ own, orgId, role, person }: InstanceClaim): boolean =>
  own && person.instanceAdmin && person.homeOrgId === orgId && role === 'admin';

/**
 * Whether a caller may revoke or rotate a key. One that carries rights over the instance is ended by its person alone, with
 * a key that carries them as well. Otherwise any administrator of that workspace could end the last key that makes
 * workspaces.
 */
export const mayEndKey = (
  caller: { readonly memberId: string | null; readonly instanceAdmin: boolean },
  key: { readonly memberId: string | null; readonly instanceAdmin: boolean },
): boolean => !key.instanceAdmin || (caller.instanceAdmin && caller.memberId === key.memberId);
