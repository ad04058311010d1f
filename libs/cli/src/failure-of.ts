import { approvalView, problem } from '@agentlattice/contracts';
import { AgentLatticeError, ConnectionError } from '@agentlattice/sdk';
import { exitCode, Failure, unknownAnswer } from './exit-code.js';
import { decisionText } from './render/approval-text.js';
import { safeText } from './render/safe-text.js';

/** What the person can do about a refusal, for codes whose text in the API is written for programs. */
const hints: Readonly<Record<string, string>> = {
  UNAUTHENTICATED: 'Set AL_API_KEY to a key that is in force.',
  RATE_LIMITED: 'Try again later.',
  UNAVAILABLE: 'Try again in a moment.',
  STALE: 'Try again in a moment.',
};
const forbidden: Readonly<Record<string, string>> = {
  submitAction: 'Only an agent asks: set AL_API_KEY to an agent’s key (al_agent_…).',
  approveRequest:
    'Deciding needs the key of an operator (al_op_…) with the role member, approving forever the role admin.',
  denyRequest: 'Deciding needs the key of an operator (al_op_…) with the role member.',
};

/** A late decision is answered with the decision that was made. */
const standingDecision = approvalView.pick({
  status: true,
  resolved_at: true,
  resolved_by: true,
  resolved_by_name: true,
  reason: true,
  denial_reason: true,
});

/** Turns an error of the SDK into a message and an exit code; other errors are returned unchanged. */
export function failureOf(
  routeId: string,
  error: unknown,
  { repeatable = true }: { readonly repeatable?: boolean } = {},
): unknown {
  if (error instanceof ConnectionError) {
    const doubt =
      repeatable || error.neverSent ? '' : ' Whether it took effect is not known; look before you try again.';
    const text = `${error.message}.${doubt} Is it running, and is AL_BASE_URL right?`;
    return new Failure(exitCode.unreachable, text, null, { cause: error });
  }
  if (!(error instanceof AgentLatticeError)) return error;
  const { status = 0 } = error;
  return status < 400 ? unknownAnswer(status) : refusalOf(routeId, status, error.details);
}

function refusalOf(routeId: string, status: number, body: unknown): Failure {
  const parsed = problem.safeParse(body);
  if (!parsed.success)
    return new Failure(
      status >= 500 ? exitCode.unreachable : exitCode.usage,
      `The answer is HTTP ${String(status)} and not an answer of this system; is AL_BASE_URL right?`,
    );
  const { error, detail, errors = [], request_id } = parsed.data;
  const ending = standingDecision.safeParse(parsed.data['decision']);
  const hint = error === 'FORBIDDEN' ? forbidden[routeId] : hints[error];
  const lines = [
    `${safeText(detail)} (${error})${hint === undefined ? '' : `. ${hint}`}`,
    ...(errors.length === 1 && detail.includes(errors[0]?.pointer ?? '') ? [] : errors).map(
      (fault) => `  ${safeText(fault.pointer)}: ${safeText(fault.detail)}`,
    ),
    ...(ending.success ? [`  ${ending.data.status} ${decisionText(ending.data)}`] : []),
    ...(status >= 500 ? [`  request ${safeText(request_id)}`] : []),
  ];
  return new Failure(exitOf(status), lines.join('\n'), error);
}

/** The exit code by the kind of refusal: the state of the resource, a faulty call, missing rights, or no answer. */
function exitOf(status: number): number {
  if (status === 429 || status >= 500) return exitCode.unreachable;
  return status === 404 || status === 409 ? exitCode.refused : exitCode.usage;
}
