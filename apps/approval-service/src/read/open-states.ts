import type pg from 'pg';
import { type KnownApproval, UnreadableEvent } from '../domain/approval.js';
import { replayApproval } from '../domain/replay-approval.js';
import { loadHistories } from './approval-histories.js';
import { keyOf, type Which } from './approval-reader.js';

export interface AtVersion extends Which {
  /** How many events the request has. */
  readonly version: number;
}

interface Kept {
  readonly version: number;
  /** Null for a history that cannot be read: nobody can decide such a request. */
  readonly state: KnownApproval | null;
}

const mostKept = 8_000;
const mostAtOnce = 1_000;

/**
 * The states of open requests. A queue of thousands is judged anew at every reading, so states are kept in memory; each is
 * used only while its request has no further event.
 */
export class OpenStates {
  private readonly kept = new Map<string, Kept>();

  constructor(private readonly pool: pg.Pool) {}

  /** The state of each request, by `keyOf`; none for a request whose history cannot be read. */
  async of(requests: readonly AtVersion[]): Promise<ReadonlyMap<string, KnownApproval>> {
    const states = new Map<string, KnownApproval>();
    const missing: AtVersion[] = [];
    for (const request of requests) {
      const key = keyOf(request);
      const kept = this.kept.get(key);
      if (kept === undefined || kept.version < request.version) missing.push(request);
      else if (kept.state !== null) states.set(key, kept.state);
    }
    for (let from = 0; from < missing.length; from += mostAtOnce) {
      const some = missing.slice(from, from + mostAtOnce);
      for (const events of await loadHistories(this.pool, some)) {
        const [first] = events;
        if (first === undefined) continue;
        const key = keyOf({ org_id: first.org_id, approval_id: first.stream_id });
        const state = stateOf(events);
        this.keep(key, { version: events.length, state });
        if (state !== null) states.set(key, state);
      }
    }
    return states;
  }

  private keep(key: string, kept: Kept): void {
    this.kept.delete(key);
    this.kept.set(key, kept);
    for (const oldest of this.kept.keys()) {
      if (this.kept.size <= mostKept) break;
      this.kept.delete(oldest);
    }
  }
}

function stateOf(events: Parameters<typeof replayApproval>[0]): KnownApproval | null {
  try {
    const state = replayApproval(events);
    return state.status === 'none' ? null : state;
  } catch (error) {
    if (error instanceof UnreadableEvent) return null;
    throw error;
  }
}
