import { actionType, type PolicyContent, policyInput, type PolicyPatch } from '@agentlattice/contracts';

/** The change that an approval for ever requests (design §3.3). */
export interface Forever {
  readonly approval_id: string;
  /** Of the request, as it was approved. */
  readonly policy_id: string;
  readonly policy_version: number;
  readonly action_type: string;
  readonly forever_for: 'policy' | 'action_type';
}

/** The governing policy as it stands now; null when it is deleted. */
export type StandingPolicy = { readonly version: number; readonly content: PolicyContent } | null;

export type ForeverPlan =
  | { readonly does: 'nothing'; readonly detail: string }
  /** The policy itself gets the effect allow. */
  | { readonly does: 'allow policy'; readonly patch: PolicyPatch; readonly detail: string }
  /** A new policy for this one action type is made; the governing one does not change. */
  | { readonly does: 'allow action type' };

/** A policy with the effect allow has no conditions: they would be faults. */
const allowPatch = {
  effect: 'allow',
  conditions: [],
  condition_expression: null,
  on_fail: 'require_approval',
} as const satisfies PolicyPatch;

/** The change of the policies, or the reason for none: a policy that was changed since the approval is not changed again. */
export function planForever(forever: Forever, policy: StandingPolicy): ForeverPlan {
  const { policy_version, action_type, forever_for } = forever;
  if (policy === null) return nothing('The policy was deleted in the meantime; nothing was changed.');
  const { version, content } = policy;
  const called = `The policy "${content.name}"`;
  if (content.effect === 'allow') return nothing(`${called} allows already; nothing was changed.`);
  if (version !== policy_version)
    return nothing(
      `${called} changed in the meantime: it is at version ${String(version)}, and the request was approved under version ${String(policy_version)}. It was left as it is.`,
    );
  if (forever_for === 'policy' || content.action_type === action_type)
    return {
      does: 'allow policy',
      patch: allowPatch,
      detail: `${called} allows ${content.action_type} from now on.`,
    };
  if (!actionType().safeParse(action_type).success)
    return nothing(`No policy can be made for exactly ${action_type}; ${called} was left as it is.`);
  return { does: 'allow action type' };
}

const nothing = (detail: string): ForeverPlan => ({ does: 'nothing', detail });

/** The name of the new policy; the longer one is unique to this approval. */
export function nameOf({ action_type, approval_id }: Forever, taken: boolean): string {
  const longest = taken ? 70 : 100;
  const type = action_type.length > longest ? `${action_type.slice(0, longest - 1)}…` : action_type;
  return taken ? `Always allow ${type} (${approval_id})` : `Always allow ${type}`;
}

export const contentOf = (forever: Forever, taken: boolean): PolicyContent =>
  policyInput.parse({
    name: nameOf(forever, taken),
    action_type: forever.action_type,
    effect: 'allow',
  });

export const exactAlready = (name: string, actionType: string) =>
  `The policy "${name}" is for exactly ${actionType} already; nothing was changed.`;
export const exactFromNow = (name: string, actionType: string, governing: string) =>
  `The new policy "${name}" allows exactly ${actionType} from now on; "${governing}" was left as it is.`;
