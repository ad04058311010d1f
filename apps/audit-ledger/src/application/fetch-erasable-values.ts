import { erasableValues, Unavailable, type WireEvent } from '@agentlattice/contracts';
import type { Disclosed } from '@agentlattice/ledger';
import type { CommandClient } from '@agentlattice/messaging';
import { disclosedOf } from '../domain/commitments.js';
import { mayHaveErasableValues } from '../domain/entry-facts.js';

/** The erasable values of events, by event id; an event that is not in it has none. */
export type FetchErasableValues = (events: readonly WireEvent[]) => Promise<ReadonlyMap<string, Disclosed>>;

/** As many as fit one answer even if each has the longest values. */
const askedAtOnce = 64;

/**
 * Fetches the reasons and notes of events from their source, so that entries commit to them. Salts are new at every call: an
 * event is written once, and a salt that can be computed again could not be erased.
 * @throws Unavailable when the source does not answer: an entry is never written without its commitments
 */
export const makeFetchErasableValues =
  (client: CommandClient, newSalt: () => string): FetchErasableValues =>
  async (events) => {
    const found = new Map<string, Disclosed>();
    let left = events.filter(({ type }) => mayHaveErasableValues(type));
    for (let [first] = left; first !== undefined; [first] = left) {
      const { source } = first;
      const asked = left.filter((event) => event.source === source).slice(0, askedAtOnce);
      const { answered, values } = await client.request(erasableValues(source), {
        events: asked.map(({ org_id, event_id }) => ({ org_id, event_id })),
      });
      // Events without an answer are asked for again: a missing answer does not mean that the event has no values.
      const known = new Set(answered);
      const before = left.length;
      left = left.filter(({ event_id }) => !known.has(event_id));
      if (left.length === before)
        throw new Unavailable(`${source} answered for none of the events it was asked about`);
      for (const { event_id, reason, note } of values)
        if (known.has(event_id)) found.set(event_id, disclosedOf({ reason, note }, newSalt));
    }
    return found;
  };
