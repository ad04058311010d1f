import { replay, type ServiceName, type WireEvent } from '@agentlattice/contracts';
import type { CommandClient } from '@agentlattice/messaging';

/** Reading a service's events from its own tables, up to the last one. */
export interface SourceReading {
  readonly client: CommandClient;
  readonly source: ServiceName;
  /** Only these types, and only events whose data have these members; default: all. */
  readonly types?: readonly string[] | undefined;
  readonly containing?: Readonly<Record<string, string>> | undefined;
  /** All events up to this number are handled. */
  readonly position: () => number | Promise<number>;
  /** Handles the events up to `through`; when it resolves, `position` returns the new position. */
  readonly take: (events: readonly WireEvent[], through: number) => Promise<void>;
  readonly stopped: () => boolean;
}

const pageSize = 500;

/**
 * Reads the events of a source after `position`, page by page.
 * @returns whether its last event was reached; false when stopped
 * @throws Unavailable while it does not answer
 */
export async function readToHead(reading: SourceReading): Promise<boolean> {
  const { client, source, types, containing, position, take, stopped } = reading;
  let before = Number.NEGATIVE_INFINITY;
  while (!stopped()) {
    const after_gpos = await position();
    if (after_gpos <= before) throw new Error(`${source} returns the same position again in its replay`);
    before = after_gpos;
    const page = await client.request(replay(source), {
      after_gpos,
      limit: pageSize,
      ...(types !== undefined && { types: [...types] }),
      ...(containing !== undefined && { containing: { ...containing } }),
    });
    if (page.through_gpos > after_gpos) await take(page.events, page.through_gpos);
    if (page.through_gpos >= page.head_gpos) return true;
  }
  return false;
}

/** The events after a number, each once, ascending. */
export function inOrder(events: readonly WireEvent[], after: number): WireEvent[] {
  const byPosition = new Map(events.filter(({ gpos }) => gpos > after).map((event) => [event.gpos, event]));
  return [...byPosition.values()].sort((a, b) => a.gpos - b.gpos);
}
