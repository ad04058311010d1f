import {
  type AppendItem,
  type ErrorCode,
  type OpenItem,
  Refused,
  type SubmissionAnswer,
} from '@agentlattice/contracts';
import type { GrantSigner } from '@agentlattice/service';
import { grantClaims } from '../domain/grant.js';
import { readSubmission } from '../domain/read-submission.js';
import { openItemOf, requestedActionOf } from '../domain/recorded.js';
import type { WrittenSubmission } from '../domain/draft.js';
import type { Submission, SubmissionResult } from './submission-result.js';

export interface AnswerPorts {
  readonly answer: (gateway: string, answers: readonly SubmissionAnswer[]) => void;
  readonly open: (items: readonly OpenItem[], expiresAt: number) => void;
}

export interface SubmissionAnswersOptions extends AnswerPorts {
  readonly grants: GrantSigner;
  readonly issuer: string;
  readonly grantTtlSeconds: number;
  readonly newId: () => string;
  readonly newSalt: () => string;
}

export interface SubmissionAnswers {
  /** The drafts of well-formed items; the others are answered at once. */
  read(items: readonly AppendItem[], expiresAt: number): Submission[];
  /** Answers all of them with 503 and this public reason. */
  refuse(items: readonly AppendItem[], reason: string): void;
  deliver(results: readonly (readonly [Submission, SubmissionResult])[]): void;
}

/** Reads submissions and sends their answers. An answer contains only data that is on disk. */
export function makeSubmissionAnswers({
  answer,
  open,
  grants,
  issuer,
  grantTtlSeconds,
  newId,
  newSalt,
}: SubmissionAnswersOptions): SubmissionAnswers {
  const send = (answers: readonly (readonly [AppendItem, SubmissionAnswer])[]) => {
    for (const [gateway, group] of Map.groupBy(answers, ([item]) => item.gateway))
      answer(
        gateway,
        group.map(([, one]) => one),
      );
  };
  const grantOf = ({ entry, stored }: WrittenSubmission): string | null => {
    const claims = grantClaims(issuer, entry, stored);
    return claims === null ? null : grants.sign(claims);
  };
  const answerTo = (item: AppendItem, result: SubmissionResult): SubmissionAnswer | null => {
    switch (result.kind) {
      case 'written':
      case 'repeated':
        return {
          item_id: item.item_id,
          agent_id: item.agent.id,
          action_digest: item.action_digest,
          outcome: result.first.stored.recorded.outcome,
          grant: item.want_grant ? grantOf(result.first) : null,
          replayed: result.kind === 'repeated',
          ...(result.kind === 'repeated' ? clearedBy(issuer, result.first) : {}),
          error: null,
        };
      case 'key_reused':
        return failure(item, 'IDEMPOTENCY_KEY_REUSED', 'the event id stands for another action');
      case 'refused':
        return failure(item, 'VALIDATION_FAILED', result.detail);
      case 'unavailable':
        return failure(item, 'UNAVAILABLE', result.detail);
      case 'expired':
        return null;
    }
  };
  return {
    read(items, expiresAt) {
      const good: Submission[] = [];
      const bad: [AppendItem, SubmissionAnswer][] = [];
      for (const item of items) {
        try {
          const salts = { metadata: newSalt(), data_accessed: newSalt() };
          good.push({
            item,
            draft: readSubmission(item, { id: newId(), salts, grantTtlSeconds }),
            expiresAt,
          });
        } catch (error) {
          if (!(error instanceof Refused)) throw error;
          bad.push([item, failure(item, 'VALIDATION_FAILED', error.detail)]);
        }
      }
      send(bad);
      return good;
    },
    refuse(items, reason) {
      send(items.map((item) => [item, failure(item, 'UNAVAILABLE', reason)] as const));
    },
    deliver(results) {
      const answers: [AppendItem, SubmissionAnswer][] = [];
      const opened: OpenItem[] = [];
      let expiresAt = 0;
      for (const [{ item, expiresAt: until }, result] of results) {
        const opens = openItem(item, result);
        if (opens !== null) {
          opened.push(opens);
          expiresAt = Math.max(expiresAt, until);
        } else {
          const one = answerTo(item, result);
          if (one !== null) answers.push([item, one]);
        }
      }
      send(answers);
      if (opened.length > 0) open(opened, expiresAt);
    },
  };
}

/** A request is answered by the approval-service, also when it is repeated: opening the same approval again changes nothing. */
function openItem(item: AppendItem, result: SubmissionResult): OpenItem | null {
  if (result.kind !== 'written' && result.kind !== 'repeated') return null;
  const { entry, content, stored } = result.first;
  const requested = requestedActionOf(entry, content, stored);
  return requested === null ? null : openItemOf(requested, item, result.kind === 'repeated');
}

/** The validity of the grant; part of a repeated answer. */
function clearedBy(issuer: string, { entry, stored }: WrittenSubmission): Pick<SubmissionAnswer, 'cleared'> {
  const claims = grantClaims(issuer, entry, stored);
  if (claims === null) return {};
  const [from, until] = [claims.iat, claims.exp].map((at) => new Date(at * 1_000).toISOString());
  return from === undefined || until === undefined ? {} : { cleared: { from, until } };
}

const failure = (item: AppendItem, code: ErrorCode, detail: string): SubmissionAnswer => ({
  item_id: item.item_id,
  agent_id: item.agent.id,
  action_digest: item.action_digest,
  outcome: null,
  grant: null,
  replayed: false,
  error: { code, detail },
});
