import { coveredByOne } from './capability.js';

/** A delegation that was neither revoked nor expired when it was read. */
export interface Link {
  readonly id: string;
  readonly orgId: string;
  /** The child. */
  readonly agentId: string;
  readonly parentAgentId: string;
  /** The delegation of the parent; null when it acts for no other agent. */
  readonly parentId: string | null;
  readonly capabilities: readonly string[];
  /** Epoch milliseconds. */
  readonly expiresAt: number;
}
export type LiveLinks = ReadonlyMap<string, Link>;

/** What a key says about the delegation of its agent. */
export interface ClaimedChain {
  readonly id: string;
  readonly agentId: string;
  /** The agents that it acts for, the first one first. */
  readonly ancestorIds: readonly string[];
}

/**
 * The delegation and those above it, itself first; null unless all of them are live.
 * @param now epoch milliseconds by the database's clock
 */
export function liveChain(links: LiveLinks, orgId: string, id: string, now: number): readonly Link[] | null {
  const chain: Link[] = [];
  const seen = new Set<string>();
  for (let next: string | null = id; next !== null;) {
    const link: Link | undefined = links.get(next);
    if (link === undefined || link.orgId !== orgId || now >= link.expiresAt || seen.has(link.id)) return null;
    const child = chain.at(-1);
    if (child !== undefined && child.parentAgentId !== link.agentId) return null;
    seen.add(link.id);
    chain.push(link);
    next = link.parentId;
  }
  return chain;
}

/** Whether the claim is that of the chain, and every delegation of the chain covers the action. */
export function permits(chain: readonly Link[], claimed: ClaimedChain, actionType: string): boolean {
  const [own] = chain;
  const ancestors = chain.map(({ parentAgentId }) => parentAgentId).reverse();
  return (
    own?.agentId === claimed.agentId &&
    ancestors.length === claimed.ancestorIds.length &&
    ancestors.every((id, i) => id === claimed.ancestorIds[i]) &&
    chain.every(({ capabilities }) => coveredByOne(capabilities, actionType))
  );
}
