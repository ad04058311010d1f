import type { PolicyEffect } from '@agentlattice/contracts';
import type { CompiledPolicy } from './compile-policy.js';

/** The policies of one workspace, by what they govern. */
export interface PolicySet {
  /** The policy that governs an action type: exact, then the longest prefix, then `*`. */
  governing(actionType: string): CompiledPolicy | undefined;
}

const strictness: Record<PolicyEffect, number> = { deny: 0, require_approval: 1, conditional: 2, allow: 3 };

/** The order of policies with the same pattern: tampered before others, then the stricter, then the older one. */
function governsBefore(a: CompiledPolicy, b: CompiledPolicy): boolean {
  if (a.tampered !== b.tampered) return a.tampered;
  const byEffect = strictness[a.content.effect] - strictness[b.content.effect];
  if (byEffect !== 0) return byEffect < 0;
  if (a.createdAt !== b.createdAt) return a.createdAt < b.createdAt;
  return a.ref.id < b.ref.id;
}

/** Inactive and shadow policies never decide; a tampered one counts in any state. */
const decides = ({ content, tampered }: CompiledPolicy) =>
  tampered || (content.active && content.mode === 'enforce');

export function policySet(policies: Iterable<CompiledPolicy>): PolicySet {
  const byPattern = new Map<string, CompiledPolicy>();
  for (const policy of policies) {
    if (!decides(policy)) continue;
    const pattern = policy.content.action_type;
    const standing = byPattern.get(pattern);
    if (standing === undefined || governsBefore(policy, standing)) byPattern.set(pattern, policy);
  }
  return {
    governing(actionType) {
      // A submission may contain any text: `deploy.*` as an action type is not a pattern and matches none exactly.
      if (!actionType.includes('*')) {
        const exact = byPattern.get(actionType);
        if (exact !== undefined) return exact;
      }
      for (let dot = actionType.lastIndexOf('.'); dot > 0; dot = actionType.lastIndexOf('.', dot - 1)) {
        const found = byPattern.get(`${actionType.slice(0, dot)}.*`);
        if (found !== undefined) return found;
      }
      return byPattern.get('*');
    },
  };
}
