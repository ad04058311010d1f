import type { EventData } from '@agentlattice/contracts';
import type { EventMeta } from '@agentlattice/event-store';
import type { Logger } from '@agentlattice/observability';
import { typeid } from 'typeid-js';
import type { PrincipalStore } from '../outbound/principal-store.js';

/** A call that the table of routes refused. */
export interface RefusedCall {
  readonly orgId: string;
  readonly meta: EventMeta;
  readonly facts: Omit<EventData<'access.refused'>, 'count'>;
}

interface Window {
  /** The newest call that is not written; none when nothing came since. */
  last: RefusedCall | null;
  count: number;
  readonly timer: NodeJS.Timeout;
}

/**
 * Keeps what the table of routes refused. The first call is written at once, all that follow within the minute as one: a
 * hostile key costs the log of its own workspace one entry a minute for each route, and never more than one connection.
 */
export class RefusedAccess {
  private readonly windows = new Map<string, Window>();
  private writing: Promise<void> = Promise.resolve();
  private stopped = false;

  constructor(
    private readonly store: Pick<PrincipalStore, 'inTransaction' | 'begin'>,
    private readonly logger: Logger,
    private readonly windowMs = 60_000,
  ) {}

  note(call: RefusedCall): void {
    const name = nameOf(call);
    const open = this.windows.get(name);
    if (open !== undefined) {
      open.last = call;
      open.count += 1;
      return;
    }
    this.open(name);
    this.write(call, 1);
  }

  /** Writes what is counted and waits for it. */
  async stop(): Promise<void> {
    this.stopped = true;
    for (const name of [...this.windows.keys()]) this.close(name);
    await this.writing;
  }

  private open(name: string): void {
    if (this.stopped) return;
    const timer = setTimeout(() => this.close(name), this.windowMs);
    timer.unref();
    this.windows.set(name, { last: null, count: 0, timer });
  }

  private close(name: string): void {
    const ended = this.windows.get(name);
    if (ended === undefined) return;
    clearTimeout(ended.timer);
    this.windows.delete(name);
    if (ended.last === null) return;
    this.open(name);
    this.write(ended.last, ended.count);
  }

  /** What cannot be written now is counted with what follows. */
  private write(call: RefusedCall, count: number): void {
    const { orgId, meta, facts } = call;
    const id = typeid('req').toString();
    const events = [{ type: 'access.refused', data: { ...facts, count } }] as const;
    this.writing = this.writing
      .then(() => this.store.inTransaction((tx) => this.store.begin(tx, orgId, meta, [{ id, events }])))
      .then(
        () => undefined,
        (error: unknown) => {
          const open = this.windows.get(nameOf(call));
          if (open !== undefined) {
            open.last ??= call;
            open.count += count;
          }
          this.logger.error(
            { err: error, org_id: orgId, ...facts, count },
            'refused calls could not be noted',
          );
        },
      );
  }
}

const nameOf = ({ facts: { key_id, route } }: RefusedCall) => `${key_id}/${route}`;
