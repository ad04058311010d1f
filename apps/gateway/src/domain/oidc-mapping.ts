import type { OperatorRole } from '@agentlattice/contracts';
import { lesserRole } from './principal.js';

/** What the members of a group of the provider are in a workspace. */
export interface MappingRule {
  readonly group: string;
  /** Null: the workspace of the first start. */
  readonly orgId: string | null;
  readonly role: OperatorRole;
  readonly groups: readonly string[];
}

export interface MappedMembership {
  readonly orgId: string;
  readonly role: OperatorRole;
  readonly groups: readonly string[];
}

/** The workspaces of a person by the groups of the claims: in each the highest role of the matching rules, and all their groups. */
export function mappedMemberships(
  claimed: readonly string[],
  rules: readonly MappingRule[],
  firstOrgId: string,
): MappedMembership[] {
  const found = new Map<string, MappedMembership>();
  for (const { group, orgId: named, role, groups } of rules) {
    if (!claimed.includes(group)) continue;
    const orgId = named ?? firstOrgId;
    const before = found.get(orgId) ?? { orgId, role, groups: [] };
    found.set(orgId, {
      orgId,
      role: lesserRole(before.role, role) === role ? before.role : role,
      groups: [...new Set([...before.groups, ...groups])],
    });
  }
  return [...found.values()].sort((a, b) => (a.orgId < b.orgId ? -1 : 1));
}

/** The groups in a claim: a list of texts, or one text. Anything else holds none. */
export const groupsIn = (claim: unknown): string[] =>
  typeof claim === 'string'
    ? [claim]
    : Array.isArray(claim)
      ? claim.filter((group): group is string => typeof group === 'string')
      : [];

/** A path of our own pages; `/` for anything else, so that no link leads to another site after a sign-in. */
export function ownPath(text: unknown): string {
  const isOwn =
    typeof text === 'string' && text.length <= 1_000 && /^\/(?![/\\])[\x21-\x5b\x5d-\x7e]*$/.test(text);
  return isOwn ? text : '/';
}
