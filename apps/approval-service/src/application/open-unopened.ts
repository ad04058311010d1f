import { auditLedgerCommands, Refused, Unavailable } from '@agentlattice/contracts';
import type { CommandClient } from '@agentlattice/messaging';
import type { Logger } from '@agentlattice/observability';
import type pg from 'pg';
import {
  deleteUnopenedRequest,
  findUnopenedRequests,
  type UnopenedRequest,
} from '../outbound/unopened-requests.js';
import type { OpenApprovals } from './open-approvals.js';

export interface OpenUnopenedPorts {
  readonly pool: pg.Pool;
  readonly commands: CommandClient;
  readonly open: OpenApprovals;
  readonly logger: Logger;
  /** How long to wait for a batch that may still arrive. */
  readonly graceMs: number;
}

const pageSize = 100;

/**
 * Opens requests that the ledger recorded and no batch opened, because the ledger or this service died in between.
 * @returns whether there was anything to do
 */
export const makeOpenUnopened =
  ({ pool, commands, open, logger, graceMs }: OpenUnopenedPorts) =>
  async (): Promise<boolean> => {
    const found = await findUnopenedRequests(pool, graceMs, pageSize);
    for (const { org_id, approval_id, isOpen } of found)
      if (isOpen || (await openOne({ org_id, approval_id })))
        await deleteUnopenedRequest(pool, { org_id, approval_id });
    return found.length > 0;

    async function openOne(request: UnopenedRequest): Promise<boolean> {
      try {
        const item = await commands.request(auditLedgerCommands.requested_action, request);
        const [state] = await open([item]);
        if (state instanceof Refused) throw state;
        logger.warn(request, 'a recorded request was opened late');
        return true;
      } catch (error) {
        if (error instanceof Unavailable)
          logger.debug({ err: error, ...request }, 'a recorded request is not open yet');
        else logger.error({ err: error, ...request }, 'a recorded request cannot be opened');
        return false;
      }
    }
  };
