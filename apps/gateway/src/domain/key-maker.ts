import type { OperatorRole } from '@agentlattice/contracts';

/** The origin of a key. */
export interface KeyOrigin {
  /** The member responsible for the use of the key; null when unknown. */
  readonly madeBy: string | null;
  /** Whether it is an operator's key that only its member was ever shown. */
  readonly own: boolean;
  /**
   * The members who were shown the key when it was made, or a key that it was made with: each of them can use it. The member of
   * the key can use it too, and an agent's key also the members who may have registered the agent.
   */
  readonly shownTo: readonly string[];
}

/** The members who can use a key, except the member whose key it is. */
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

/** The facts that decide whether a key carries the rights of its person over the instance. */
export interface InstanceClaim {
  readonly own: boolean;
  readonly orgId: string;
  /** The lesser of the key's role and the member's. */
  readonly role: OperatorRole;
  readonly person: {
    readonly instanceAdmin: boolean;
    /** The workspace where the account was made. */
    readonly homeOrgId: string | null;
  };
}

/**
 * Whether a key may make workspaces. The flag belongs to a person, but administrators make keys for others. So it counts only
 * for a key that the person made, with the full role, in the workspace where the account was made.
 */
export const carriesInstanceRights = ({ own, orgId, role, person }: InstanceClaim): boolean =>
  own && person.instanceAdmin && person.homeOrgId === orgId && role === 'admin';

/**
 * Whether a caller may revoke or rotate a key. Only its person ends a key with rights over the instance, with a key that carries
 * them as well. Otherwise any administrator of that workspace could end the last key that makes workspaces.
 */
export const mayEndKey = (
  caller: { readonly memberId: string | null; readonly instanceAdmin: boolean },
  key: { readonly memberId: string | null; readonly instanceAdmin: boolean },
): boolean => !key.instanceAdmin || (caller.instanceAdmin && caller.memberId === key.memberId);
