import type { EventData } from '@agentlattice/contracts';
import type { EventMeta } from '@agentlattice/event-store';
import type { Logger } from '@agentlattice/observability';
import { Batcher } from '@agentlattice/service';
import { typeid } from 'typeid-js';
import type { PrincipalStore } from '../outbound/principal-store.js';

type CountedType = 'access.refused' | 'session.sign_in_failed';

/** A call that the table of routes refused, or a sign-in that failed. */
export type RefusedCall = {
  [T in CountedType]: {
    readonly orgId: string;
    readonly meta: EventMeta;
    readonly type: T;
    readonly facts: Omit<EventData<T>, 'count'>;
  };
}[CountedType];

interface Entry {
  readonly id: string;
  readonly call: RefusedCall;
  readonly count: number;
}

interface Window {
  /** The newest call that is not written; null when no call followed the first. */
  last: RefusedCall | null;
  count: number;
  readonly timer: NodeJS.Timeout;
  /** While the entry of the first call is being written. */
  first: Promise<void> | null;
}

/** The most entries that share a commit. */
const most = 64;

/**
 * Records calls that the table of routes refused, and sign-ins that failed. The first call is written at once, before it is answered; calls of the same
 * key and route, or failures of the same member, within the next minute are counted and written as one entry at its end. A hostile key costs the log of its own
 * workspace two entries a minute for each route and gateway. Each workspace has a queue and one connection at a time: entries
 * that gather during a write share the next one, and no workspace waits for the entries of another. A gateway that is killed
 * loses no more than the counts of that minute.
 */
export class RefusedAccess {
  private readonly windows = new Map<string, Window>();
  private readonly queues = new Map<string, Batcher<Entry, true>>();
  private readonly writing = new Set<Promise<void>>();
  private stopped = false;

  constructor(
    private readonly store: Pick<PrincipalStore, 'inTransaction' | 'begin'>,
    private readonly logger: Logger,
    private readonly windowMs = 60_000,
    private readonly waitMs = 1_000,
  ) {}

  /**
   * Resolves once an entry with this key and route is written, also for a call that is only counted, so that no refusal is
   * answered before the log has the attempt. Never rejects. After a second it resolves without the entry.
   */
  note(call: RefusedCall): Promise<void> {
    const open = this.windows.get(nameOf(call));
    if (open !== undefined) {
      gather(open, call, 1);
      return open.first === null ? Promise.resolve() : this.atMost(open.first);
    }
    const window = this.open(call, 0);
    const first = this.write(call, 1).finally(() => {
      if (window !== null) window.first = null;
    });
    if (window !== null) window.first = first;
    return this.atMost(first);
  }

  /** Writes what is counted and waits for it. */
  async stop(): Promise<void> {
    this.stopped = true;
    for (const name of [...this.windows.keys()]) this.close(name);
    await Promise.all(this.writing);
  }

  private atMost(written: Promise<void>): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, this.waitMs);
    });
    return Promise.race([written, late]).finally(() => clearTimeout(timer));
  }

  /** @param count of the calls that are written when the window ends */
  private open(call: RefusedCall, count: number): Window | null {
    if (this.stopped) return null;
    const name = nameOf(call);
    const timer = setTimeout(() => this.close(name), this.windowMs);
    timer.unref();
    const window: Window = { last: count === 0 ? null : call, count, timer, first: null };
    this.windows.set(name, window);
    return window;
  }

  private close(name: string): void {
    const ended = this.windows.get(name);
    if (ended === undefined) return;
    clearTimeout(ended.timer);
    this.windows.delete(name);
    if (ended.last !== null) void this.write(ended.last, ended.count);
  }

  /** Calls that cannot be written now are counted with the following ones. Never rejects. */
  private write(call: RefusedCall, count: number): Promise<void> {
    const writing: Promise<void> = this.queueOf(call.orgId)
      .do({ id: typeid('req').toString(), call, count })
      .then(
        () => undefined,
        (error: unknown) => {
          const open = this.windows.get(nameOf(call));
          if (open === undefined) this.open(call, count);
          else gather(open, call, count);
          this.logger.error(
            { err: error, org_id: call.orgId, type: call.type, ...call.facts, count },
            'refused calls could not be written to the log',
          );
        },
      )
      .finally(() => this.writing.delete(writing));
    this.writing.add(writing);
    return writing;
  }

  private queueOf(orgId: string): Batcher<Entry, true> {
    const known = this.queues.get(orgId);
    if (known !== undefined) return known;
    // No bound: the windows admit at most two entries a minute for each key and route.
    const queue = new Batcher<Entry, true>((entries) => this.writeTogether(orgId, entries), {
      most,
      mostWaiting: Number.POSITIVE_INFINITY,
    });
    this.queues.set(orgId, queue);
    return queue;
  }

  private async writeTogether(orgId: string, entries: readonly Entry[]): Promise<readonly true[]> {
    await this.store.inTransaction(async (tx) => {
      for (const { id, call, count } of entries) {
        const events = [{ type: call.type, data: { ...call.facts, count } }];
        await this.store.begin(tx, orgId, call.meta, [{ id, events }]);
      }
    });
    return entries.map(() => true);
  }
}

function gather(open: Window, call: RefusedCall, count: number): void {
  open.last = call;
  open.count += count;
}

const nameOf = (call: RefusedCall): string =>
  call.type === 'access.refused'
    ? `${call.facts.key_id ?? call.facts.session_id ?? ''}/${call.facts.route}`
    : `${call.facts.member_id}/${call.facts.reason}`;
