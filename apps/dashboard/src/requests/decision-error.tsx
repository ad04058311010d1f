import { ApiRefusal } from '../api/client.js';
import { errorText } from '../components/notices.js';

/** Why a vote was not recorded, in words of the page where the server's words are for programs. */
export function decisionErrorText(error: unknown): string {
  if (error instanceof ApiRefusal) {
    if (error.status === 503) return 'Not decided: a part of the system is down. Nothing was recorded.';
    if (error.code === 'ALREADY_VOTED') return 'You have voted.';
    if (error.code === 'POLICY_CHANGED')
      return 'The policy was changed in the meantime. Nothing was recorded. Close this and look again.';
    if (error.status === 403)
      return `Not decided: ${error.problem.detail ?? 'you may not decide this request'}.`;
  }
  return errorText(error);
}

export const DecisionError = ({ error }: { readonly error: unknown }) => (
  <p className="note bad" role="alert">
    {decisionErrorText(error)}
  </p>
);
