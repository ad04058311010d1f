import type { ApprovalView, RouteOutput, routes, SessionView, VotePending } from '@agentlattice/contracts';

/** Shapes of the API that the pages use, from the schemas of the contracts. */
export type Session = SessionView;

export type SignInOptions = RouteOutput<typeof routes.signInMethods, 200>;
export type { ApprovalPage, Cue, ForeverPreview, GivenDenialReasons } from '@agentlattice/contracts';
export type Approval = ApprovalView;

/** What approve and deny answer: the decided request, or the votes so far. */
export type DecisionAnswer = Approval | VotePending;

export const isVotePending = (answer: DecisionAnswer): answer is VotePending =>
  answer.status === 'pending' && !('agent' in answer);
