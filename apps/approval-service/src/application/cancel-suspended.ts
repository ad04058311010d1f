import { gatewayCommands, Unavailable } from '@agentlattice/contracts';
import type { EventStore } from '@agentlattice/event-store';
import type { CommandClient } from '@agentlattice/messaging';
import type { Logger } from '@agentlattice/observability';
import type pg from 'pg';
import { type ApprovalCommand, approvalDecider } from '../domain/approval-decider.js';
import { type Suspended, suspendedRequests } from '../outbound/agent-suspensions.js';
import { projectApprovals } from '../outbound/project-approvals.js';
import { wakeWaiters, type Waker } from '../outbound/wake-waiters.js';
import { systemMeta } from './system-meta.js';

export interface CancelSuspendedPorts {
  readonly pool: pg.Pool;
  readonly store: EventStore;
  readonly nc: Waker;
  readonly commands: CommandClient;
  readonly logger: Logger;
}

const pageSize = 100;
const note = 'The agent was suspended.';

/**
 * Cancels the open requests of agents that were suspended with `pending: cancel`. The requests to cancel follow from rows
 * only, so the next run repeats one that died, and repeating changes nothing. The person's reason is fetched from the
 * gateway, because no event may contain it. While the gateway is unreachable the requests stay open; the agent cannot act
 * meanwhile.
 * @returns whether there was anything to do
 */
export const makeCancelSuspended =
  ({ pool, store, nc, commands, logger }: CancelSuspendedPorts) =>
  async (): Promise<boolean> => {
    for (;;) {
      const found = await suspendedRequests(pool, pageSize);
      let done = 0;
      for (const requests of Map.groupBy(found, ({ event_id }) => event_id).values()) {
        try {
          done += await cancel(requests);
        } catch (error) {
          if (!(error instanceof Unavailable)) throw error;
          logger.debug({ err: error }, 'requests of a suspended agent are not cancelled yet');
        }
      }
      if (done === 0 || found.length < pageSize) return found.length > 0;
    }

    /** @param requests of one suspension */
    async function cancel(requests: readonly Suspended[]): Promise<number> {
      const [first] = requests;
      if (first === undefined) return 0;
      const { org_id, agent_id, event_id, correlation_id, traceparent } = first;
      const ends =
        requests.some(({ later }) => later) && !(await lasts(first))
          ? requests.filter(({ later }) => !later)
          : requests;
      if (ends.length === 0) return 0;
      const { values } = await commands.request(gatewayCommands.erasable_values, {
        events: [{ org_id, event_id }],
      });
      const reason = values.find((value) => value.event_id === event_id)?.reason ?? null;
      const { events } = await store.updateMany({
        decider: approvalDecider,
        streams: ends.map(({ approval_id }) => ({
          orgId: org_id,
          streamId: approval_id,
          meta: systemMeta({ correlation_id, traceparent }),
        })),
        command: (now): ApprovalCommand => ({
          type: 'EndSuspended',
          agentId: agent_id,
          eventId: event_id,
          now,
        }),
        erasable: () => ({ reason, note }),
        project: projectApprovals,
      });
      wakeWaiters(nc, events);
      return events.length;
    }

    /** Whether this suspension is still in effect: the event of its end may not have arrived. */
    async function lasts({ org_id, agent_id, event_id }: Suspended): Promise<boolean> {
      const { suspended_by } = await commands.request(gatewayCommands.agent_standing, { org_id, agent_id });
      return suspended_by === event_id;
    }
  };
