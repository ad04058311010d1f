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
  /** The newest call that is not written; none when nothing came since the first. */
  last: RefusedCall | null;
  count: number;
  readonly timer: NodeJS.Timeout;
}

/**
 * Keeps what the table of routes refused. The first call is written at once, before it is answered; those that follow within
 * the minute are counted and written as one at its end. A hostile key costs the log of its own workspace two entries a minute
 * for each route and gateway, and never more than one connection; a gateway that is killed loses no more than the counts of
 * that minute.
 */
export class RefusedAccess {
  private readonly windows = new Map<string, Window>();
  private writing: Promise<void> | null = null;
  private stopped = false;

  constructor(
    private readonly store: Pick<PrincipalStore, 'inTransaction' | 'begin'>,
    private readonly logger: Logger,
    private readonly windowMs = 60_000,
    private readonly waitMs = 1_000,
  ) {}

  note(call: RefusedCall): void {
    const open = this.windows.get(nameOf(call));
    if (open === undefined) {
      this.open(call, 0);
      this.write(call, 1);
    } else gather(open, call, 1);
  }

  /** Null when nothing is being written. */
  written(): Promise<void> | null {
    if (this.writing === null) return null;
    let timer: NodeJS.Timeout | undefined;
    // The refusal stands whatever becomes of its entry: a database that does not answer holds up no answer for ever.
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, this.waitMs);
    });
    return Promise.race([this.writing, late]).finally(() => clearTimeout(timer));
  }

  /** Writes what is counted and waits for it. */
  async stop(): Promise<void> {
    this.stopped = true;
    for (const name of [...this.windows.keys()]) this.close(name);
    await this.writing;
  }

  /** @param count of the calls that wait for its end */
  private open(call: RefusedCall, count: number): void {
    if (this.stopped) return;
    const name = nameOf(call);
    const timer = setTimeout(() => this.close(name), this.windowMs);
    timer.unref();
    this.windows.set(name, { last: count === 0 ? null : call, count, timer });
  }

  private close(name: string): void {
    const ended = this.windows.get(name);
    if (ended === undefined) return;
    clearTimeout(ended.timer);
    this.windows.delete(name);
    if (ended.last !== null) this.write(ended.last, ended.count);
  }

  /** What cannot be written now is counted with what follows. */
  private write(call: RefusedCall, count: number): void {
    const { orgId, meta, facts } = call;
    const id = typeid('req').toString();
    const events = [{ type: 'access.refused', data: { ...facts, count } }] as const;
    const writing = (this.writing ?? Promise.resolve())
      .then(() => this.store.inTransaction((tx) => this.store.begin(tx, orgId, meta, [{ id, events }])))
      .then(
        () => undefined,
        (error: unknown) => {
          const open = this.windows.get(nameOf(call));
          if (open === undefined) this.open(call, count);
          else gather(open, call, count);
          this.logger.error(
            { err: error, org_id: orgId, ...facts, count },
            'refused calls could not be noted',
          );
        },
      )
      .finally(() => {
        if (this.writing === writing) this.writing = null;
      });
    this.writing = writing;
  }
}

function gather(open: Window, call: RefusedCall, count: number): void {
  open.last = call;
  open.count += count;
}

const nameOf = ({ facts: { key_id, route } }: RefusedCall) => `${key_id}/${route}`;
