import { auditLedgerCommands, Refused, Unavailable } from '@agentlattice/contracts';
import type { ProjectedEvent, Tx } from '@agentlattice/event-store';
import type { CommandClient } from '@agentlattice/messaging';
import type { Logger } from '@agentlattice/observability';
import type pg from 'pg';
import type { OpenApprovals } from './open-approvals.js';

/** Remembers recorded requests that are not open; usually their batch is on its way and opens them in a moment. */
export async function noteRequestedActions(tx: Tx, events: readonly ProjectedEvent[]): Promise<void> {
  const requested = events.flatMap((event) =>
    event.type === 'action.requested' ? [[event.org_id, event.data.approval_id] as const] : [],
  );
  await tx.query(
    `INSERT INTO unopened_request (org_id, approval_id)
     SELECT * FROM (SELECT * FROM unnest($1::text[], $2::text[]) AS k (org_id, approval_id) LIMIT $3) AS k
      WHERE NOT EXISTS (SELECT FROM approval a WHERE a.org_id = k.org_id AND a.approval_id = k.approval_id)
     ON CONFLICT DO NOTHING`,
    [requested.map(([orgId]) => orgId), requested.map(([, approvalId]) => approvalId), requested.length],
  );
}

export interface OpenUnopenedPorts {
  readonly pool: pg.Pool;
  readonly commands: CommandClient;
  readonly open: OpenApprovals;
  readonly logger: Logger;
  /** How long a batch that is on its way is waited for. */
  readonly graceMs: number;
}

interface Noted {
  readonly org_id: string;
  readonly approval_id: string;
}

const pageSize = 100;

/**
 * Opens what the ledger recorded and no batch brought: the ledger died in between, or we did.
 * @returns whether there was anything to do
 */
export const makeOpenUnopened =
  ({ pool, commands, open, logger, graceMs }: OpenUnopenedPorts) =>
  async (): Promise<boolean> => {
    const { rows } = await pool.query<Noted & { known: boolean }>(
      `SELECT u.org_id, u.approval_id, a.approval_id IS NOT NULL AS known
         FROM unopened_request u LEFT JOIN approval a USING (org_id, approval_id)
        WHERE a.approval_id IS NOT NULL OR u.noted_at <= clock_timestamp() - make_interval(secs => $1)
        ORDER BY u.noted_at LIMIT $2`,
      [graceMs / 1_000, pageSize],
    );
    for (const { org_id, approval_id, known } of rows) {
      if (!known && !(await openOne({ org_id, approval_id }))) continue;
      await pool.query('DELETE FROM unopened_request WHERE org_id = $1 AND approval_id = $2', [
        org_id,
        approval_id,
      ]);
    }
    return rows.length > 0;

    async function openOne(noted: Noted): Promise<boolean> {
      try {
        const item = await commands.request(auditLedgerCommands.requested_action, noted);
        const [state] = await open([item]);
        if (state instanceof Refused) throw state;
        logger.warn(noted, 'a recorded request was opened late');
        return true;
      } catch (error) {
        if (error instanceof Unavailable)
          logger.debug({ err: error, ...noted }, 'a recorded request is not open yet');
        else logger.error({ err: error, ...noted }, 'a recorded request cannot be opened');
        return false;
      }
    }
  };
