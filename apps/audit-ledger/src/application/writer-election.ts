import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from '@agentlattice/observability';
import type { LogHeads } from '../domain/log-heads.js';
import { WriterLost } from '../domain/commit-store.js';
import { LogRolledBack } from './guard-start.js';

/** The connection that holds the writer's lock (`LedgerSession`). */
export interface WriterSession {
  readonly lost: Promise<Error>;
  acquire(): Promise<boolean>;
  /** Looks again when the time is over or the writer says that it stops. @returns whether it is stopping */
  writerStops(withinMs: number, signal: AbortSignal): Promise<boolean>;
  /** Whether this instance, and no other, takes the commands of a writer that stops. */
  mayTakeOver(): Promise<boolean>;
  /** Tells the writer that stops that its commands are taken here. */
  tellTaking(): Promise<void>;
  endTakeOver(): Promise<void>;
  /** Lets an instance that stands by take the commands, and resolves when one does, or none is there or none has within the time. */
  handOver(withinMs: number): Promise<void>;
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

/** Commands that are taken before this instance may write. */
export interface TakenCommands {
  /** They cannot be carried out: this instance did not become the writer. */
  refuse(): Promise<void>;
}

export interface WriterElectionPorts<S extends WriterSession, T extends TakenCommands> {
  readonly connect: () => Promise<S>;
  /** @throws LogRolledBack when a log is not the one that was signed */
  readonly guardStart: () => Promise<void>;
  /** Takes commands and keeps them until `begin`. */
  readonly takeCommands: () => Promise<T>;
  /** @param taken what was taken over from the writer before */
  readonly begin: (
    session: S,
    heads: LogHeads,
    databaseNow: number,
    taken: T | undefined,
  ) => Promise<ActiveTerm>;
  readonly logger: Logger;
}

export type ElectionState =
  | { readonly kind: 'starting' | 'standby' | 'active' }
  | { readonly kind: 'failing'; readonly detail: string; readonly isRolledBack: boolean };

const standbyMs = 500;
/** Between two tries to get the lock of a writer that stops. */
const takeOverMs = 20;
/** Longer than a service may take to stop: commands are not kept in vain. */
const takenWithinMs = 15_000;
/** How long a writer that stops waits for another one to take its commands. */
const handOverWithinMs = 1_000;
const guardAgainMs = 5_000;
const backoffMs = [50, 100, 250, 500, 1_000];

/** Becomes the active writer when no other instance is, remains it while its connection lives, and otherwise keeps trying. */
export class WriterElection<S extends WriterSession, T extends TakenCommands> {
  private current: ElectionState = { kind: 'starting' };
  private readonly stopping = new AbortController();
  private done: Promise<void> | undefined;

  constructor(private readonly ports: WriterElectionPorts<S, T>) {}

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
    let taken: T | undefined;
    while (taken === undefined && !(await session.acquire())) {
      this.current = { kind: 'standby' };
      const stops = await Promise.race([session.writerStops(standbyMs, signal), lost]);
      if (signal.aborted) return;
      if (stops) taken = await this.takeOver(session, lost);
    }
    const term = await this.begin(session, taken);
    this.current = { kind: 'active' };
    onActive();
    this.ports.logger.info('this instance writes the audit log');
    const reason = await Promise.race([
      term.ended,
      session.lost,
      aborted(signal).then(() => new WriterLost('the service stops')),
    ]);
    // Nothing is sent to nobody: a standby takes the commands before this instance stops taking them.
    if (signal.aborted) await session.handOver(handOverWithinMs).catch(() => {});
    await term.stop(reason);
    if (!signal.aborted) throw reason;
  }

  /** Takes the commands of a writer that stops, and its lock once it has finished. @returns undefined when it did not get the lock */
  private async takeOver(session: S, lost: Promise<never>): Promise<T | undefined> {
    if (!(await session.mayTakeOver())) {
      await Promise.race([this.pause(standbyMs), lost]);
      return undefined;
    }
    const until = performance.now() + takenWithinMs;
    const taken = await this.ports.takeCommands();
    try {
      await session.tellTaking();
      while (performance.now() < until && !this.stopping.signal.aborted) {
        if (await session.acquire()) return taken;
        await Promise.race([this.pause(takeOverMs), lost]);
      }
      await session.endTakeOver();
    } catch (error) {
      await taken.refuse();
      throw error;
    }
    this.ports.logger.warn(
      'the writer of the audit log did not stop in time, so its commands are not taken over',
    );
    await taken.refuse();
    return undefined;
  }

  private async begin(session: S, taken: T | undefined): Promise<ActiveTerm> {
    try {
      await this.ports.guardStart();
      return await this.ports.begin(session, await session.load(), await session.now(), taken);
    } catch (error) {
      await taken?.refuse();
      throw error;
    }
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
