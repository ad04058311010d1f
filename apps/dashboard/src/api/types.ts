import type { ApprovalView, SessionView } from '@agentlattice/contracts';

/** Shapes of the API that the pages use. Members that an older gateway does not send are optional. */
export type Session = SessionView;

export interface SignInOptions {
  readonly password: boolean;
  readonly oidc: { readonly name: string; readonly start_url: string } | null;
}

export type CueKind =
  'first_time' | 'largest' | 'new_value' | 'looks_like' | 'recent_denials' | 'repeats' | 'last_approved';

export interface Cue {
  readonly kind: CueKind | (string & {});
  readonly level: 'warn' | 'calm';
  /** A JSON pointer into `metadata`. */
  readonly field: string | null;
  readonly params: Readonly<Record<string, unknown>>;
}

export interface Approval extends Omit<
  ApprovalView,
  'votes' | 'policy' | 'escalation' | 'cues' | 'previous' | 'masked' | 'cannot_decide_reason'
> {
  readonly policy: ApprovalView['policy'] & { readonly effect?: string; readonly unconditional?: boolean };
  readonly votes: readonly (ApprovalView['votes'][number] & { readonly groups?: readonly string[] })[];
  readonly window_seconds?: number;
  readonly now?: string;
  readonly can_decide?: boolean;
  readonly cannot_decide_reason?: { readonly code: string; readonly text: string } | null;
  readonly completes?: boolean;
  readonly cues?: readonly Cue[];
  readonly previous?: {
    readonly approval_id: string;
    readonly decided_at: string;
    readonly changed: readonly { readonly field: string; readonly was: unknown }[];
  } | null;
  readonly escalation?: {
    readonly level: number;
    readonly told: readonly {
      readonly label?: string;
      readonly at: string;
      readonly [member: string]: unknown;
    }[];
    readonly next_at: string | null;
    readonly next: { readonly contacts: readonly string[]; readonly channels: readonly string[] } | null;
  };
  readonly masked?: readonly string[];
}

export interface ApprovalPage {
  readonly approvals: readonly Approval[];
  readonly next_cursor: string | null;
  readonly now?: string;
  readonly total?: number;
  readonly counts?: {
    readonly under_5_minutes: number;
    readonly under_1_hour: number;
    readonly later: number;
  };
  /** Requests that match and that the caller cannot decide. */
  readonly hidden?: number;
}

export interface VotePendingAnswer {
  readonly status: 'pending';
  readonly approval_id: string;
  readonly approvals: { readonly have: number; readonly need: number };
  readonly denials: { readonly have: number; readonly need: number };
  readonly seats_open: readonly { readonly group: string | null; readonly count: number }[];
}

/** What approve and deny answer: the decided request, or the votes so far. */
export type DecisionAnswer = Approval | VotePendingAnswer;

export const isVotePending = (answer: DecisionAnswer): answer is VotePendingAnswer =>
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
