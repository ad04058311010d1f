import {
  type auditLedgerCommands,
  type CommandRequest,
  type CommandResponse,
  Refused,
} from '@agentlattice/contracts';
import type { GrantSigner } from '@agentlattice/service';
import type { Entry } from '@agentlattice/ledger';
import type pg from 'pg';
import type { WrittenSubmission } from '../domain/draft.js';
import { grantClaims } from '../domain/grant.js';
import { requestedActionOf } from '../domain/recorded.js';
import { submissionColumns, type SubmissionRow, writtenSubmission } from './submission-row.js';

type RequestedActionQuery = typeof auditLedgerCommands.requested_action;
type IssueGrant = typeof auditLedgerCommands.issue_grant;

async function findSubmission(
  pool: pg.Pool,
  condition: string,
  values: string[],
): Promise<WrittenSubmission | null> {
  const { rows } = await pool.query<SubmissionRow>(
    `SELECT ${submissionColumns} FROM submission s JOIN entry e ON e.id = s.entry_id
       LEFT JOIN private_value p ON p.entry_id = s.entry_id
      WHERE ${condition} ORDER BY s.seq LIMIT 1`,
    values,
  );
  return rows[0] === undefined ? null : writtenSubmission(rows[0]);
}

/** The entry of the agent's own submission; null for anything else. */
export async function findAction(
  pool: pg.Pool,
  { org_id, agent_id, audit_event_id }: { org_id: string; agent_id: string; audit_event_id: string },
): Promise<Entry | null> {
  // No entry id contains NUL, and the database cannot store it.
  if (audit_event_id.includes('\0')) return null;
  const condition = 's.org_id = $1 AND s.entry_id = $2 AND s.agent_id = $3';
  return (await findSubmission(pool, condition, [org_id, audit_event_id, agent_id]))?.entry ?? null;
}

/** The decision of a request in the log; null while there is none. */
export async function findDecision(
  pool: pg.Pool,
  { org_id, approval_id }: { org_id: string; approval_id: string },
): Promise<string | null> {
  const { rows } = await pool.query<{ decision: string }>(
    `SELECT decision FROM entry
      WHERE org_id = $1 AND approval_id = $2 AND decision IN ('approved', 'denied', 'timed_out', 'cancelled')
      ORDER BY seq LIMIT 1`,
    [org_id, approval_id],
  );
  return rows[0]?.decision ?? null;
}

/** The requested action from which the approval-service opens an approval that it missed. @throws Refused NOT_FOUND */
export async function requestedAction(
  pool: pg.Pool,
  { org_id, approval_id }: CommandRequest<RequestedActionQuery>,
): Promise<CommandResponse<RequestedActionQuery>> {
  const found = await findSubmission(pool, 's.org_id = $1 AND s.approval_id = $2', [org_id, approval_id]);
  const requested = found && requestedActionOf(found.entry, found.content, found.stored);
  if (requested === null) throw new Refused('NOT_FOUND', 'no action requested this approval');
  return requested;
}

/**
 * The grant of an allowed action, the same at every call.
 * @throws Refused NOT_FOUND (also for another agent's event), GRANT_NOT_AVAILABLE, GRANT_EXPIRED
 */
export async function issueGrant(
  pool: pg.Pool,
  { grants, issuer }: { grants: GrantSigner; issuer: string },
  { org_id, agent_id, audit_event_id }: CommandRequest<IssueGrant>,
): Promise<CommandResponse<IssueGrant>> {
  const found = await findSubmission(pool, 's.org_id = $1 AND s.entry_id = $2 AND s.agent_id = $3', [
    org_id,
    audit_event_id,
    agent_id,
  ]);
  if (found === null) throw new Refused('NOT_FOUND', 'the agent has no such audit event');
  const claims = grantClaims(issuer, found.entry, found.stored);
  if (claims === null)
    throw new Refused('GRANT_NOT_AVAILABLE', 'only an allowed action has a grant of its own');
  const { rows } = await pool.query<{ over: boolean }>(
    'SELECT clock_timestamp() >= to_timestamp($1) AS over',
    [claims.exp],
  );
  if (rows[0]?.over !== false) throw new Refused('GRANT_EXPIRED', 'the time for this grant is over');
  return { grant: grants.sign(claims), expires_at: new Date(claims.exp * 1_000).toISOString() };
}
