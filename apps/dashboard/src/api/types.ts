import type { ApprovalView, RouteOutput, routes, SessionView, VotePending } from '@agentlattice/contracts';

/** Shapes of the API that the pages use, from the schemas of the contracts. */
export type Session = SessionView;

export type SignInOptions = RouteOutput<typeof routes.signInMethods, 200>;
export type { ApprovalPage, Cue } from '@agentlattice/contracts';
export type Approval = ApprovalView;

/** What approve and deny answer: the decided request, or the votes so far. */
export type DecisionAnswer = Approval | VotePending;

export const isVotePending = (answer: DecisionAnswer): answer is VotePending =>
  answer.status === 'pending' && !('agent' in answer);

export interface ForeverConsequences {
  readonly policy: {
    readonly id: string;
    readonly name: string;
    readonly version: number;
    readonly next_version: number;
    readonly effect: string;
    readonly effect_after: string;
    readonly action_type: string;
  };
  readonly matches: readonly string[];
  readonly denials_30d: {
    readonly asked: number;
    readonly denied: number;
    readonly last: { readonly at: string; readonly reason: string | null } | null;
  };
  readonly agents: readonly { readonly id: string; readonly name: string }[];
  readonly waiting: readonly {
    readonly approval_id: string;
    readonly action_type: string;
    readonly agent: { readonly name: string };
  }[];
  readonly waiting_total: number;
  readonly completes: boolean;
}
