import { call, pathSegment, send } from './client.js';
import type { Approval, ApprovalPage, DecisionAnswer, ForeverPreview, GivenDenialReasons } from './types.js';
import { noteServerTime } from '../live/server-clock.js';

export interface ApprovalFilter {
  readonly status?: string;
  readonly action_type?: string;
  readonly agent_id?: string;
  readonly policy_id?: string;
  readonly decidable?: boolean;
  readonly q?: string;
}

const path = '/api/v1/approvals';

/** Everything below belongs to requests; a live event about them makes it stale. */
export const approvalsKey = ['approvals'] as const;
export const waitingKey = (filter: ApprovalFilter) => [...approvalsKey, 'waiting', filter] as const;
export const decidedKey = (filter: ApprovalFilter) => [...approvalsKey, 'decided', filter] as const;
export const approvalKey = (id: string) => [...approvalsKey, 'one', id] as const;

export async function listApprovals(
  filter: ApprovalFilter,
  page: { readonly cursor?: string | undefined; readonly limit: number },
  signal?: AbortSignal,
): Promise<ApprovalPage> {
  const answer = await send<ApprovalPage>('GET', path, {
    query: { ...filter, ...page },
    ...(signal === undefined ? {} : { signal }),
  });
  noteServerTime(answer.data.now, answer);
  return answer.data;
}

export async function getApproval(id: string, signal?: AbortSignal): Promise<Approval> {
  const answer = await send<Approval>('GET', `${path}/${pathSegment(id)}`, {
    ...(signal === undefined ? {} : { signal }),
  });
  noteServerTime(answer.data.now, answer);
  return answer.data;
}

export interface Vote {
  readonly reason?: string;
  readonly scope?: 'once' | 'forever';
  readonly policy_version?: number;
  readonly seen_ms?: number;
}

export const approve = (id: string, body: Vote) =>
  call<DecisionAnswer>('POST', `${path}/${pathSegment(id)}/approve`, { body });
export const deny = (id: string, body: Pick<Vote, 'reason' | 'seen_ms'>) =>
  call<DecisionAnswer>('POST', `${path}/${pathSegment(id)}/deny`, { body });
export const withdrawVote = (id: string) => call<DecisionAnswer>('DELETE', `${path}/${pathSegment(id)}/vote`);
export const getDenialReasons = () => call<GivenDenialReasons>('GET', '/api/v1/denial-reasons');
export const getForever = (id: string) => call<ForeverPreview>('GET', `${path}/${pathSegment(id)}/forever`);
