import { approvalView, problem } from '@agentlattice/contracts';
import { AgentLatticeError, ConnectionError } from '@agentlattice/sdk';
import { z } from 'zod';
import { NotDone } from './not-done.js';
import { endingText } from './text/request-text.js';
import { quoted, visible } from './text/untrusted.js';

/** A late decision is answered with the decision that stands. */
const standingDecision = approvalView.pick({
  status: true,
  resolved_at: true,
  resolved_by: true,
  resolved_by_name: true,
  reason: true,
  denial_reason: true,
});

/** What the reader can do, for refusals whose own text does not say it. */
const hints: Readonly<Record<string, string>> = {
  UNAUTHENTICATED: 'The key is unknown, expired or revoked; a person must set another one.',
  RATE_LIMITED: 'Try again later.',
  UNAVAILABLE: 'Try again in a moment.',
  STALE: 'Try again in a moment.',
  NOT_FOUND: 'Read the list again; ids of other workspaces are not found.',
  IDEMPOTENCY_KEY_REUSED: 'Use a new event_id for another action.',
};

/**
 * The text of a call that did not do what it was called for.
 * @returns undefined for an error that is none of the system's answers
 */
export function refusalText(error: unknown, isDecision: boolean): string | undefined {
  if (error instanceof NotDone) return `${error.message} (${error.code})`;
  if (error instanceof z.ZodError)
    return `The arguments do not fit: ${error.issues
      .slice(0, 20)
      .map(({ path, message }) => `${quoted(path.map(String).join('.') || 'arguments')}: ${visible(message)}`)
      .join('; ')} (INVALID_ARGUMENTS)`;
  if (error instanceof ConnectionError) {
    const doubt =
      isDecision && !error.neverSent
        ? ' Whether the decision took effect is not known: look with get_approval before you try again.'
        : '';
    return `The system does not answer.${doubt} (${error.code})`;
  }
  if (!(error instanceof AgentLatticeError)) return undefined;
  const { code, message, details } = error;
  const body = problem.safeParse(details);
  const ending = standingDecision.safeParse(body.success ? body.data['decision'] : undefined);
  const faults = body.success ? (body.data.errors ?? []) : [];
  return [
    isDecision && (error.status ?? 500) < 500 ? 'Nothing was decided by this call. ' : '',
    `${visible(message)} (${visible(code)}).`,
    ...faults.slice(0, 20).map(({ pointer, detail }) => ` ${quoted(pointer)}: ${visible(detail)}.`),
    ending.success ? ` The request was ${endingText(ending.data)}.` : '',
    hints[code] === undefined ? '' : ` ${hints[code]}`,
  ].join('');
}
