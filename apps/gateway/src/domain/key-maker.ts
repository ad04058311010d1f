import type { OperatorRole } from '@agentlattice/contracts';

/** Where a key comes from. */
export interface KeyOrigin {
  /** The member who answers for what is done with the key; null where nobody knows. */
  readonly madeBy: string | null;
  /** An operator's key that nobody but its member was ever shown. */
  readonly own: boolean;
  /**
   * The members who were shown the key when it was made, or one that it was made with: each of them may use it. The member
   * whose key it is comes on top, and of an agent's key who may have registered the agent.
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
 * The origin of a key that is made with another, or replaces one. The maker was shown the key, and so was who made the key
 * that it was made with: it is the member's own only if it was made with one that is. Else somebody would make a key for a
 * colleague, and with it one that looks as if the colleague had made it; it stays that somebody's, however often it is done.
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
 * a key that carries them as well: else any administrator of that workspace could leave nobody who makes workspaces.
 */
export const mayEndKey = (
  caller: { readonly memberId: string | null; readonly instanceAdmin: boolean },
  key: { readonly memberId: string | null; readonly instanceAdmin: boolean },
): boolean => !key.instanceAdmin || (caller.instanceAdmin && caller.memberId === key.memberId);
