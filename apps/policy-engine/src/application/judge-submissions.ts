import {
  type AppendItem,
  appendSubject,
  type SubmissionItem,
  type SubmissionUnavailable,
  unavailableReplySubject,
} from '@agentlattice/contracts';
import { type BatchContext, Forward } from '@agentlattice/messaging';
import { typeid } from 'typeid-js';
import { evaluate } from '../domain/evaluate.js';
import type { LivePolicies } from '../read/live-policies.js';

/**
 * Judges a batch and hands it to the ledger in the same turn: nothing waits here. What cannot be judged is told to its
 * gateway, where it can become nothing but a 503.
 */
export const makeJudgeSubmissions =
  (policies: Pick<LivePolicies, 'fresh' | 'of' | 'now'>) =>
  (items: readonly SubmissionItem[], { expiresAt }: Pick<BatchContext, 'expiresAt'>): Forward[] => {
    if (!policies.fresh()) return unavailable(items, 'the policies here may be out of date');
    const now = policies.now();
    const judgedAt = new Date(now).toISOString();
    const judged: AppendItem[] = [];
    let late: SubmissionItem[] = [];
    for (const [i, item] of items.entries()) {
      // Only conditions over large requests take time; the ledger would drop what comes after this anyway.
      if (i % 16 === 15 && Date.now() >= expiresAt) {
        late = items.slice(i);
        break;
      }
      judged.push(judge(item, policies, now, judgedAt));
    }
    return [
      ...(judged.length > 0 ? [new Forward(appendSubject, judged)] : []),
      ...unavailable(late, 'the action could not be judged in time'),
    ];
  };

function judge(
  item: SubmissionItem,
  policies: Pick<LivePolicies, 'of'>,
  now: number,
  judgedAt: string,
): AppendItem {
  const judgement = evaluate(policies.of(item.org_id), item, now);
  const approval_id = judgement.decision === 'requested' ? typeid('apr').toString() : null;
  return { ...item, verdict: { ...judgement, approval_id, judged_at: judgedAt } };
}

function unavailable(items: readonly SubmissionItem[], detail: string): Forward<SubmissionUnavailable>[] {
  const byGateway = Map.groupBy(items, (item) => item.gateway);
  return [...byGateway].map(
    ([gateway, own]) =>
      new Forward(
        unavailableReplySubject(gateway),
        own.map(({ item_id }) => ({ item_id, detail })),
      ),
  );
}
