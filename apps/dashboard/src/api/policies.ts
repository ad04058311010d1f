import type { ConditionOperator, PolicyPatch, PolicyVersion, PolicyView } from '@agentlattice/contracts';
import { call, pathSegment, send } from './client.js';

export type Policy = PolicyView;
export type { ConditionOperator, PolicyVersion };

export interface PolicyCheck {
  readonly allowed: boolean;
  readonly needs_approval: boolean;
  readonly policy_name: string | null;
  readonly reason: string;
  readonly conditions_evaluated: readonly {
    readonly field: string;
    readonly operator: string;
    readonly expected?: unknown;
    readonly result: boolean;
  }[];
}

const path = '/api/v1/policies';
const one = (id: string) => `${path}/${pathSegment(id)}`;
/** A change is made only to the version that the person saw. */
const ifMatch = (version: number) => ({ 'if-match': `"${String(version)}"` });

export const policiesKey = ['policies'] as const;

export const listPolicies = (
  query: { readonly cursor?: string | undefined; readonly limit: number; readonly active?: 'true' | 'false' },
  signal?: AbortSignal,
) =>
  call<{ policies: readonly Policy[]; next_cursor: string | null }>('GET', path, {
    query: { ...query, scope: 'org' },
    ...(signal === undefined ? {} : { signal }),
  });
export const getPolicy = (id: string) => call<Policy>('GET', one(id));
export const createPolicy = (body: PolicyPatch) => call<Policy>('POST', path, { body });
export const updatePolicy = (id: string, version: number, body: PolicyPatch) =>
  call<Policy>('PATCH', one(id), { body, headers: ifMatch(version) });
export const deletePolicy = async (id: string, version: number) =>
  (await send<{ version: number }>('DELETE', one(id), { headers: ifMatch(version) })).data;
export const listVersions = (id: string, cursor?: string) =>
  call<{ versions: readonly PolicyVersion[]; next_cursor: string | null }>('GET', `${one(id)}/versions`, {
    query: { cursor, limit: 200 },
  });
export const checkPolicy = (body: {
  readonly action_type: string;
  readonly metadata: unknown;
  readonly agent_id?: string;
}) => call<PolicyCheck>('POST', `${path}/check`, { body });
