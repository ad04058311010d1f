import { approvalServiceCommands, type WireEvent } from '@agentlattice/contracts';
import type { Disclosed } from '@agentlattice/ledger';
import type { CommandClient } from '@agentlattice/messaging';
import { disclosedOf } from '../domain/commitments.js';
import { maySay } from '../domain/entry-facts.js';

/** What was said with events, by event; an event that is not in it said nothing. */
export type SaidWith = (events: readonly WireEvent[]) => Promise<ReadonlyMap<string, Disclosed>>;

const idsAtOnce = 500;

/**
 * Fetches the reasons and notes of approvals, so that entries commit to them. Salts are new at every call: an event is
 * written once, and a salt that could be computed again would outlive its erasure.
 * @throws Unavailable when the approval-service is away: an entry is never written without its commitments
 */
export const makeSaidWith =
  (client: CommandClient, newSalt: () => string): SaidWith =>
  async (events) => {
    const ids = events.filter(({ type }) => maySay(type)).map(({ event_id }) => event_id);
    const said = new Map<string, Disclosed>();
    for (let from = 0; from < ids.length; from += idsAtOnce) {
      const event_ids = ids.slice(from, from + idsAtOnce);
      const { values } = await client.request(approvalServiceCommands.erasable_values, { event_ids });
      for (const { event_id, reason, note } of values)
        said.set(event_id, disclosedOf({ reason, note }, newSalt));
    }
    return said;
  };
