import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from '@agentlattice/observability';
import type { LogHeads } from '../domain/log-heads.js';
import { WriterLost } from '../domain/commit-store.js';
import { LogRolledBack } from './guard-start.js';

/** The connection that holds the writer's lock (`LedgerSession`). */
export interface WriterSession {
  readonly lost: Promise<Error>;
  acquire(): Promise<boolean>;
  load(): Promise<LogHeads>;
  now(): Promise<number>;
  close(): Promise<void>;
}

/** The time for which an instance is the active writer. */
export interface ActiveTerm {
  /** Resolves when the term cannot go on. */
  readonly ended: Promise<Error>;
  stop(reason: Error): Promise<void>;
}

export interface WriterElectionPorts<S extends WriterSession> {
  readonly connect: () => Promise<S>;
  /** @throws LogRolledBack when a log is not the one that was signed */
  readonly guardStart: () => Promise<void>;
  readonly begin: (session: S, heads: LogHeads, databaseNow: number) => Promise<ActiveTerm>;
  readonly logger: Logger;
}

export type ElectionState =
  | { readonly kind: 'starting' | 'standby' | 'active' }
  | { readonly kind: 'failing'; readonly detail: string; readonly isRolledBack: boolean };

const standbyMs = 500;
const guardAgainMs = 5_000;
const backoffMs = [50, 100, 250, 500, 1_000];

/** Becomes the active writer when no other instance is, remains it while its connection lives, and otherwise keeps trying. */
export class WriterElection<S extends WriterSession> {
  private current: ElectionState = { kind: 'starting' };
  private readonly stopping = new AbortController();
  private done: Promise<void> | undefined;

  constructor(private readonly ports: WriterElectionPorts<S>) {}

  get state(): ElectionState {
    return this.current;
  }

  /** Starts once, although a hybrid Nest application calls its hooks for each of its parts. */
  start(): void {
    this.done ??= this.run();
  }

  async stop(): Promise<void> {
    this.stopping.abort();
    await this.done;
  }

  private async run(): Promise<void> {
    const { signal } = this.stopping;
    let failures = 0;
    while (!signal.aborted) {
      try {
        const session = await this.ports.connect();
        try {
          await this.hold(session, () => (failures = 0));
        } finally {
          await session.close();
        }
      } catch (error) {
        if (signal.aborted) return;
        const wasActive = this.current.kind === 'active';
        const isRolledBack = error instanceof LogRolledBack;
        const detail = error instanceof Error ? error.message : String(error);
        this.current = { kind: 'failing', detail, isRolledBack };
        if (isRolledBack) {
          this.ports.logger.fatal({ err: error }, 'nothing is written or signed until this is repaired');
          await this.pause(guardAgainMs);
        } else {
          this.ports.logger.warn(
            { err: error, wasActive },
            'the writer of the audit log failed and starts again',
          );
          await this.pause(backoffMs[Math.min(failures++, backoffMs.length - 1)] ?? 1_000);
        }
      }
    }
  }

  /** Waits for its turn, then writes until the connection or the epoch is lost. */
  private async hold(session: S, onActive: () => void): Promise<void> {
    const { signal } = this.stopping;
    const lost = session.lost.then((error) => {
      throw new WriterLost('the connection to the database was lost', { cause: error });
    });
    lost.catch(() => {});
    while (!(await session.acquire())) {
      this.current = { kind: 'standby' };
      await Promise.race([this.pause(standbyMs), lost]);
      if (signal.aborted) return;
    }
    await this.ports.guardStart();
    const term = await this.ports.begin(session, await session.load(), await session.now());
    this.current = { kind: 'active' };
    onActive();
    this.ports.logger.info('this instance writes the audit log');
    const reason = await Promise.race([
      term.ended,
      session.lost,
      aborted(signal).then(() => new WriterLost('the service stops')),
    ]);
    await term.stop(reason);
    if (!signal.aborted) throw reason;
  }

  private pause(ms: number): Promise<void> {
    return sleep(ms, undefined, { signal: this.stopping.signal }).catch(() => {});
  }
}

const aborted = (signal: AbortSignal) =>
  new Promise<void>((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
