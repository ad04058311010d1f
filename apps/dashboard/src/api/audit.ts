import type { AuditEvent, AuditVerification } from '@agentlattice/contracts';
import { call } from './client.js';
import { fetchText } from './text.js';

export interface AuditFilter {
  readonly event_id?: string;
  readonly approval_id?: string;
  readonly agent_id?: string;
  readonly action_type?: string;
  readonly type?: string;
  readonly decision?: string;
  readonly operator_id?: string;
  readonly policy_id?: string;
  readonly from_time?: string;
  readonly to_time?: string;
}

export interface AuditPage {
  readonly events: readonly AuditEvent[];
  readonly next_cursor: string | null;
}

const path = '/api/v1/audit';

export const auditKey = ['audit'] as const;

export const listAudit = (
  filter: AuditFilter,
  page: { readonly cursor?: string | undefined; readonly limit: number },
  signal?: AbortSignal,
) =>
  call<AuditPage>('GET', path, {
    query: { ...filter, ...page },
    ...(signal === undefined ? {} : { signal }),
  });

/** With `wait` the log is checked now, from its first entry; without it the answer is that of the last check. */
export const verifyAudit = (wait: boolean) =>
  call<AuditVerification>('GET', `${path}/verify`, { query: wait ? { wait: true } : {} });

/** Entries as they were hashed: each line is one entry, and only U+000A ends a line. */
export async function auditEntries(from: number, limit: number): Promise<readonly string[]> {
  const text = await fetchText(`${path}/entries`, { from, limit });
  return text.split('\n').filter((line) => line !== '');
}

export const auditCheckpoint = () => fetchText(`${path}/checkpoint`);
export const auditVerifierKey = () => fetchText(`${path}/key`);
