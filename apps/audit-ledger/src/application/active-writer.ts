import { setInterval as every } from 'node:timers/promises';
import {
  type AppendItem,
  type auditLedgerCommands,
  type CommandRequest,
  ledgerHeartbeatSubject,
  openSubject,
  type ReportResult,
  submissionReplySubject,
  type WireEvent,
} from '@agentlattice/contracts';
import { type CommandClient, publishBatches } from '@agentlattice/messaging';
import type { Logger } from '@agentlattice/observability';
import type { GrantSigner } from '@agentlattice/service';
import type { NatsConnection } from '@nats-io/transport-node';
import type pg from 'pg';
import { typeidUnboxed } from 'typeid-js';
import type { LedgerConfig } from '../config.js';
import { WriterLost } from '../domain/commit-store.js';
import { disclosedOf } from '../domain/commitments.js';
import type { LogHeads } from '../domain/log-heads.js';
import { EntryRelay } from '../outbound/entry-relay.js';
import type { LedgerSession } from '../outbound/ledger-session.js';
import { saltSource } from '../outbound/salt-source.js';
import { findAction, findDecision } from '../read/submissions.js';
import { makeFetchErasableValues } from './fetch-erasable-values.js';
import { SourceFollowers } from './source-followers.js';
import { GroupCommit } from './group-commit.js';
import { Heartbeat } from './heartbeat.js';
import { makeReportOutcome } from './report-outcome.js';
import { makeSignCheckpoints } from './sign-checkpoints.js';
import type { GuardPorts } from './guard-start.js';
import { makeSubmissionAnswers } from './submission-answers.js';
import { makeWriteNotices } from './write-notices.js';
import type { ActiveTerm } from './writer-election.js';

/** What the active writer does with commands. */
export interface CommandHandlers {
  submissions(items: readonly AppendItem[], expiresAt: number): void;
  report(request: CommandRequest<typeof auditLedgerCommands.report>): Promise<ReportResult>;
  /** Events that the approval-service sends itself. */
  approvalEvents(request: CommandRequest<typeof auditLedgerCommands.append_events>): Promise<void>;
  heartbeatWanted(): void;
}

/** What it does with all messages. */
export interface WriterHandlers extends CommandHandlers {
  /** Events of the stream. */
  events(events: readonly WireEvent[]): Promise<void>;
}

export interface WriterSubscriptions {
  /** Accepts no more commands; resolves when the received ones are done. */
  stopCommands(): Promise<void>;
  /** Accepts no more events; resolves when the received ones are done. */
  stopEvents(): Promise<void>;
}

export interface ActiveWriterOptions {
  readonly nc: NatsConnection;
  readonly pool: pg.Pool;
  readonly client: CommandClient;
  readonly logger: Logger;
  readonly config: LedgerConfig;
  readonly grants: GrantSigner;
  readonly guard: GuardPorts;
  readonly listen: (handlers: WriterHandlers) => WriterSubscriptions;
  /** Why entries cannot be published for now; null while they can. */
  readonly streamRefusal: () => string | null;
}

const signEveryMs = 1_000;
/** While nothing is written: the check for unsigned entries. */
const unsignedCheckEveryMs = 5_000;
/** When a commit is stuck for longer, the heartbeat stops, so that gateways answer 503 at once. */
const stuckMs = 1_000;
/** The work of the active writer: it takes submissions and events, sends heartbeats, publishes what it wrote and signs. */
export class ActiveWriter implements ActiveTerm {
  readonly ended: Promise<Error>;
  private readonly stopping = new AbortController();
  private readonly writer: GroupCommit;
  private readonly relay: EntryRelay;
  private readonly followers: SourceFollowers;
  private readonly heartbeat: Heartbeat;
  private readonly subscriptions: WriterSubscriptions;
  private readonly signCheckpoints: (orgId?: string) => Promise<void>;
  private readonly writeNotices: () => Promise<void>;
  private noticesAreDue = true;
  private signing: Promise<void> = Promise.resolve();
  /** There may be unsigned entries. No other process writes. */
  private grown = true;

  private constructor(
    private readonly options: ActiveWriterOptions,
    session: LedgerSession,
    heads: LogHeads,
    databaseNow: number,
  ) {
    const { nc, pool, logger, config, client, grants } = options;
    let end: (error: Error) => void = () => {};
    this.ended = new Promise((resolve) => (end = resolve));
    this.signCheckpoints = makeSignCheckpoints(options.guard);
    this.relay = new EntryRelay({ pool, nc, logger, streamReplicas: config.streamReplicas });
    const newId = () => typeidUnboxed('evt');
    const newSalt = saltSource();
    this.writeNotices = makeWriteNotices({
      guard: options.guard,
      newId,
      newSalt,
      append: (draft) => this.writer.notice(draft),
    });
    const answers = makeSubmissionAnswers({
      grants,
      issuer: config.issuer,
      grantTtlSeconds: config.grantTtlSeconds,
      newId,
      newSalt,
      answer: (gateway, answers) => publishBatches(nc, submissionReplySubject(gateway), null, answers),
      open: (items, expiresAt) => publishBatches(nc, openSubject, expiresAt, items),
    });
    this.writer = new GroupCommit(heads, databaseNow, {
      store: session,
      originOf: (orgId) => `${config.logName}/log/${orgId}`,
      newId,
      monotonic: () => performance.now(),
      wallClock: () => Date.now(),
      deliver: (results) => answers.deliver(results),
      committed: (rows) => {
        this.grown = true;
        this.relay.offer(rows);
      },
      failed: (error) => {
        logger.error({ err: error }, 'a commit failed: its submissions were answered with 503');
        if (error instanceof WriterLost) end(error);
      },
    });
    this.heartbeat = new Heartbeat(() => {
      if (this.writer.stuckMs < stuckMs && !nc.isClosed())
        nc.publish(ledgerHeartbeatSubject, config.instance);
    });
    this.followers = new SourceFollowers(
      {
        client,
        logger,
        fetchErasableValues: makeFetchErasableValues(client, newSalt),
        append: (draft) => this.writer.append(draft),
      },
      heads.sources,
    );
    const report = makeReportOutcome({
      findAction: (asked) => findAction(pool, asked),
      findDecision: (asked) => findDecision(pool, asked),
      catchUp: () => this.followers.check(),
      append: (draft) => this.writer.report(draft),
      newId,
      newSalt,
    });
    this.subscriptions = options.listen({
      submissions: (items, expiresAt) => {
        // Its events could not be published, so the submission is refused. Decisions and reports of earlier ones are still
        // accepted.
        const refusal = options.streamRefusal();
        if (refusal !== null) return answers.refuse(items, refusal);
        return this.writer.submit(answers.read(items, expiresAt));
      },
      report,
      approvalEvents: ({ events, erasable }) => {
        const values = new Map(
          erasable.map(({ event_id, reason, note }) => [event_id, disclosedOf({ reason, note }, newSalt)]),
        );
        return this.followers.append('approval-service', events, values);
      },
      events: (events) => this.followers.receive(events),
      heartbeatWanted: () => this.heartbeat.want(),
    });
  }

  static async begin(
    options: ActiveWriterOptions,
    { session, heads, databaseNow }: { session: LedgerSession; heads: LogHeads; databaseNow: number },
  ): Promise<ActiveWriter> {
    const writer = new ActiveWriter(options, session, heads, databaseNow);
    // The server must know the subscriptions before the first heartbeat tells the gateways to send.
    await options.nc.flush();
    writer.relay.start();
    writer.heartbeat.start();
    void writer.signEverySecond();
    void writer.checkOnReconnect();
    return writer;
  }

  /** Why this instance is not ready. */
  get notReadyReasons(): string[] {
    const stuck = this.writer.stuckMs > stuckMs ? ['a commit hangs'] : [];
    return [
      ...stuck,
      ...this.followers.stuck.map((source) => `an event of the ${source} cannot enter the log`),
      ...this.followers.withoutValues.map(
        (source) => `events of the ${source} wait for their erasable values`,
      ),
    ];
  }

  /** For how long waiting entries could not be written, in seconds. */
  get blockedSeconds(): number {
    return this.writer.blockedMs / 1_000;
  }

  /** Asks every source for missing events, now. */
  catchUp(): void {
    this.followers.check();
  }

  /** Signs a log that has grown, now. */
  sign(orgId?: string): Promise<void> {
    const turn = this.signing.then(() => this.signCheckpoints(orgId));
    this.signing = turn.catch(() => {});
    return turn;
  }

  async stop(reason: Error): Promise<void> {
    this.stopping.abort();
    const isLost = this.options.nc.isClosed() || reason.cause !== undefined;
    if (isLost) this.heartbeat.stop();
    await this.subscriptions.stopCommands();
    // While connection and lock are held, accepted submissions are still written and answered.
    if (!isLost) await this.writer.drained();
    await this.writer.close(reason);
    await this.subscriptions.stopEvents();
    await this.followers.stop();
    await this.relay.stop();
    await this.signing;
    // Until then gateways go on sending, because another instance takes their submissions already, and begins right after this.
    this.heartbeat.stop();
  }

  private signEverySecond(): Promise<void> {
    let signedAt = Number.NEGATIVE_INFINITY;
    return this.regularly(signEveryMs, () => {
      if (!this.grown && performance.now() - signedAt < unsignedCheckEveryMs) return;
      this.grown = false;
      signedAt = performance.now();
      return this.writeDueNotices()
        .then(() => this.sign())
        .catch((error: unknown) => {
          this.grown = true;
          this.options.logger.error({ err: error }, 'a checkpoint could not be signed');
        });
    });
  }

  /** Before the first checkpoint of the term, which then covers them. */
  private async writeDueNotices(): Promise<void> {
    if (!this.noticesAreDue) return;
    await this.writeNotices();
    this.noticesAreDue = false;
  }

  private async checkOnReconnect(): Promise<void> {
    for await (const status of this.options.nc.status()) {
      if (this.stopping.signal.aborted) return;
      if (status.type !== 'reconnect') continue;
      this.followers.check();
      this.relay.noteReconnect();
    }
  }

  private async regularly(ms: number, work: () => void | Promise<void>): Promise<void> {
    try {
      for await (const _ of every(ms, undefined, { signal: this.stopping.signal, ref: false })) await work();
    } catch (error) {
      if (!this.stopping.signal.aborted) throw error;
    }
  }
}
