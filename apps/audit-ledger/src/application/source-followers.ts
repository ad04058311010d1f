import { type DomainEvent, parseWith, readEvent, typeId, type WireEvent } from '@agentlattice/contracts';
import type { Disclosed } from '@agentlattice/ledger';
import type { CommandClient } from '@agentlattice/messaging';
import { type Logger, recordSpan } from '@agentlattice/observability';
import { idle, inOrder, PeriodicTask, readToHead, RetriedWork } from '@agentlattice/event-store';
import type { EventDraft } from '../domain/draft.js';
import { draftOf } from '../domain/entry-facts.js';
import { type ForeignSource, foreignSources } from '../domain/foreign-source.js';
import type { FetchErasableValues } from './fetch-erasable-values.js';

export interface FollowPorts {
  readonly client: CommandClient;
  /** The erasable values of events; their entries wait for them. */
  readonly fetchErasableValues: FetchErasableValues;
  /** Resolves when the event is in its log. */
  readonly append: (draft: EventDraft) => Promise<void>;
  readonly logger: Logger;
}

/**
 * How often each source is asked for missing events. The approval-service sends its events here itself, so only this query
 * finds a lost batch. While there are no events, each pause is twice as long as the last, up to `idleCheckMs`.
 */
const checkEveryMs: Readonly<Record<ForeignSource, number>> = {
  gateway: 30_000,
  'policy-engine': 30_000,
  'approval-service': 2_000,
  notifier: 30_000,
};
const idleCheckMs = 8_000;
const isEventId = typeId('evt');
const isOrgId = typeId('org');
/** Erasable values that are missing for longer make the service not ready. */
const unavailableMs = 10_000;

/**
 * Appends the events of every other service to the logs, each source in its own order. JetStream delivers them quickly; lost,
 * repeated and shuffled events are noticed by `gpos`, and missing ones are fetched from the source.
 */
export class SourceFollowers {
  private readonly followers: ReadonlyMap<ForeignSource, SourceFollower>;
  private readonly checks: readonly PeriodicTask[];

  constructor(ports: FollowPorts, positions: ReadonlyMap<string, number>) {
    this.followers = new Map(
      foreignSources.map((source) => [source, new SourceFollower(source, positions.get(source) ?? 0, ports)]),
    );
    this.checks = [...this.followers].map(([source, follower]) => {
      let reached = follower.reached;
      const check = () => {
        follower.check();
        const isIdle = follower.reached === reached;
        reached = follower.reached;
        return Promise.resolve(isIdle ? idle : undefined);
      };
      const everyMs = checkEveryMs[source];
      const restMs = Math.max(everyMs, idleCheckMs);
      return new PeriodicTask(`asking the ${source}`, everyMs, check, ports.logger, restMs).start();
    });
    this.check();
  }

  /** Takes events of any source. @throws when some could not be written: they must be delivered again */
  async receive(events: readonly WireEvent[]): Promise<void> {
    await Promise.all(
      [...this.followers].map(([source, follower]) =>
        follower.receive(events.filter((e) => e.source === source)),
      ),
    );
  }

  /**
   * Takes events that their source sent directly.
   * @param given all of their erasable values
   * @throws when some could not be written
   */
  async append(
    source: ForeignSource,
    events: readonly WireEvent[],
    given: ReadonlyMap<string, Disclosed>,
  ): Promise<void> {
    await this.followers.get(source)?.receive(events, given);
  }

  /** Asks every source for missing events, in the background. */
  check(): void {
    for (const follower of this.followers.values()) follower.check();
  }

  /** Sources with an event that cannot be written: none of their later events is written until that is repaired. */
  get stuck(): ForeignSource[] {
    return [...this.followers].filter(([, follower]) => follower.stuck).map(([source]) => source);
  }

  /** Sources whose events wait because their erasable values cannot be fetched. */
  get withoutValues(): ForeignSource[] {
    const since = performance.now() - unavailableMs;
    return [...this.followers]
      .filter(([, { unavailableSince }]) => unavailableSince !== null && unavailableSince < since)
      .map(([source]) => source);
  }

  async stop(): Promise<void> {
    await Promise.all(this.checks.map((check) => check.stop()));
    await Promise.all([...this.followers.values()].map((follower) => follower.stop()));
  }
}

class SourceFollower {
  private tail: Promise<unknown> = Promise.resolve();
  private stopped = false;
  /** Since when the erasable values of the next events cannot be fetched; monotonic. These events wait at their source. */
  unavailableSince: number | null = null;
  /** Events arrived while the values could not be fetched. */
  private overheard = false;
  private readonly checking: RetriedWork;
  stuck = false;

  constructor(
    private readonly source: ForeignSource,
    private position: number,
    private readonly ports: FollowPorts,
  ) {
    this.checking = new RetriedWork(
      () => this.inTurn(() => this.catchUp()),
      (error) => ports.logger.debug({ err: error, source }, 'a source does not answer'),
      () => {
        if (this.overheard) this.check();
      },
    );
  }

  /** @param given their erasable values, where the sender included them */
  receive(events: readonly WireEvent[], given?: ReadonlyMap<string, Disclosed>): Promise<void> {
    if (events.length === 0) return Promise.resolve();
    if (this.unavailableSince !== null) {
      // They stay in the source's table; events of other sources in the same message must not wait for them.
      this.overheard = true;
      return Promise.resolve();
    }
    return this.inTurn(async () => {
      const fresh = inOrder(events, this.position);
      const last = fresh.at(-1)?.gpos ?? this.position;
      if (last === this.position + fresh.length) await this.append(fresh, given);
      else await this.catchUp();
      if (this.position < last) throw new Error(`${this.source} does not know its own event ${String(last)}`);
    }).catch((error: unknown) => {
      if (!(error instanceof ValuesUnavailable)) throw error;
      this.check();
    });
  }

  /** All of the source's events up to here are in the logs. */
  get reached(): number {
    return this.position;
  }

  check(): void {
    if (this.checking.begin()) this.overheard = false;
  }

  async stop(): Promise<void> {
    this.stopped = true;
    this.checking.stop();
    await this.tail.catch(() => {});
  }

  private inTurn(work: () => Promise<void>): Promise<void> {
    const turn = this.tail.then(() => (this.stopped ? undefined : work()));
    this.tail = turn.catch(() => {});
    return turn;
  }

  private async catchUp(): Promise<void> {
    await readToHead({
      client: this.ports.client,
      source: this.source,
      position: () => this.position,
      take: async (events) => {
        const fresh = inOrder(events, this.position);
        if ((fresh.at(-1)?.gpos ?? this.position) !== this.position + fresh.length)
          throw new Error(`${this.source} omits some of its events`);
        await this.append(fresh);
      },
      stopped: () => this.stopped,
    });
  }

  private async append(events: readonly WireEvent[], given?: ReadonlyMap<string, Disclosed>): Promise<void> {
    try {
      const startedAt = performance.now();
      const readable = events.map((event) => this.read(event));
      const values = given ?? (await this.valuesOf(readable));
      const drafts = readable.map((event) => draftOf(event, values.get(event.event_id)));
      // All enter the queue in order, so that they can share a commit. Each outcome is awaited.
      const outcomes = await Promise.allSettled(
        drafts.map(async (draft, i) => {
          await this.ports.append(draft);
          recordSpan('append entry', {
            ...{ traceparent: events[i]?.traceparent ?? null, kind: 'consumer', startedAt },
            attributes: { 'agentlattice.event.type': draft.facts.type },
          });
          this.position = Math.max(this.position, draft.gpos);
        }),
      );
      const failed = outcomes.find((outcome) => outcome.status === 'rejected');
      if (failed !== undefined) throw failed.reason;
      this.stuck = false;
    } catch (error) {
      this.stuck = isLasting(error);
      if (this.stuck)
        this.ports.logger.error(
          { err: error, source: this.source },
          'an event cannot enter the log; its source waits',
        );
      throw error;
    }
  }

  private async valuesOf(events: readonly WireEvent[]): Promise<ReadonlyMap<string, Disclosed>> {
    try {
      const values = await this.ports.fetchErasableValues(events);
      this.unavailableSince = null;
      return values;
    } catch (error) {
      if (this.unavailableSince === null)
        this.ports.logger.warn({ err: error, source: this.source }, 'entries wait for erasable values');
      this.unavailableSince ??= performance.now();
      throw new ValuesUnavailable('the erasable values of an event are not known', { cause: error });
    }
  }

  private read(event: WireEvent): WireEvent & DomainEvent & { source: ForeignSource } {
    if (event.source !== this.source) throw new EventUnreadable(`${this.source} replayed a foreign event`);
    if (!parseWith(isEventId, event.event_id).success || !parseWith(isOrgId, event.org_id).success)
      throw new EventUnreadable(`an event of ${this.source} has no proper id`);
    return { ...readEvent(event), source: this.source };
  }
}

class EventUnreadable extends Error {
  override readonly name = 'EventUnreadable';
}

class ValuesUnavailable extends Error {
  override readonly name = 'ValuesUnavailable';
}

/** Errors that a retry cannot solve. */
const isLasting = (error: unknown) =>
  error instanceof Error && ['EventUnreadable', 'EventRefused', 'Refused'].includes(error.name);
