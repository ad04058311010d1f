import { setInterval as every } from 'node:timers/promises';
import {
  appendItem,
  appendSubject,
  auditLedgerCommands,
  type CommandRequest,
  eventRegistry,
  eventTypes,
  ledgerHeartbeatSubject,
  openSubject,
  submissionReplySubject,
  wantHeartbeatSubject,
} from '@agentlattice/contracts';
import {
  type CommandClient,
  consumeEvents,
  publishBatches,
  respondTo,
  subscribeBatches,
} from '@agentlattice/messaging';
import type { Logger } from '@agentlattice/observability';
import type { GrantSigner } from '@agentlattice/service';
import type { NatsConnection } from '@nats-io/transport-node';
import type pg from 'pg';
import { typeidUnboxed } from 'typeid-js';
import type { LedgerConfig } from '../config.js';
import type { LogHeads } from '../domain/log-heads.js';
import { disclosedOf } from '../domain/commitments.js';
import { EntryRelay } from '../outbound/entry-relay.js';
import type { LedgerSession } from '../outbound/ledger-session.js';
import { saltSource } from '../outbound/salts.js';
import { findAction, findDecision } from '../read/submissions.js';
import { SourceFollowers } from './follow-sources.js';
import { GroupCommit, WriterLost } from './group-commit.js';
import { Heartbeat } from './heartbeat.js';
import { makeReportOutcome } from './report-outcome.js';
import { makeFetchErasableValues } from './fetch-erasable-values.js';
import { signCheckpoints } from './sign-checkpoints.js';
import type { GuardPorts } from './start-guard.js';
import { SubmissionAnswers } from './submission-answers.js';
import type { ActiveTerm } from './writer-election.js';

export interface ActiveWriterOptions {
  readonly nc: NatsConnection;
  readonly pool: pg.Pool;
  readonly client: CommandClient;
  readonly logger: Logger;
  readonly config: LedgerConfig;
  readonly grants: GrantSigner;
  readonly guard: GuardPorts;
  /** Why entries cannot be published for now; null while they can. */
  readonly streamRefusal: () => string | null;
}

const signEveryMs = 1_000;
/** While nothing is written: whether something was left unsigned. */
const lookForUnsignedMs = 5_000;
/** With a commit stuck for longer the heartbeat stops, so that gateways answer 503 at once. */
const stuckMs = 1_000;
const serviceName = 'audit-ledger';
/**
 * Events of others, also of types that we do not know yet. Our own come from the log: read back, each submission would
 * cost a delivery and an acknowledgement. Those of the approval-service it sends itself, with what was said with them.
 */
const foreignFamilies = [
  ...new Set(
    eventTypes
      .filter((type) => !['audit-ledger', 'approval-service'].includes(eventRegistry[type].owner))
      .map((type) => `${type.split('.')[0] ?? ''}.*`),
  ),
];

/** What only the active writer does: takes submissions and events, beats, publishes what it wrote, signs. */
export class ActiveWriter implements ActiveTerm {
  readonly ended: Promise<Error>;
  private readonly stopping = new AbortController();
  private readonly writer: GroupCommit;
  private readonly relay: EntryRelay;
  private readonly followers: SourceFollowers;
  private readonly heartbeat: Heartbeat;
  private readonly parts: { stop(): Promise<void> }[] = [];
  private signing: Promise<void> = Promise.resolve();
  /** Something was written that is perhaps not signed. Nobody else writes. */
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
    this.relay = new EntryRelay({ pool, nc, logger });
    const newId = () => typeidUnboxed('evt');
    const newSalt = saltSource();
    const answers = new SubmissionAnswers({
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
        logger.error({ err: error }, 'a commit failed; everybody in it was told so');
        if (error instanceof WriterLost) end(error);
      },
    });
    const subscription = subscribeBatches(nc, {
      subject: appendSubject,
      item: appendItem,
      queue: serviceName,
      logger,
      handler: (items, { expiresAt }) => {
        // What nobody would hear of must not begin. Decisions and reports of what began are still taken.
        const refusal = options.streamRefusal();
        if (refusal !== null) return answers.refuse(items, refusal);
        return this.writer.submit(answers.read(items, expiresAt));
      },
    });
    this.heartbeat = new Heartbeat(() => {
      if (this.writer.stuckMs < stuckMs && !nc.isClosed())
        nc.publish(ledgerHeartbeatSubject, config.instance);
    });
    const wanting = nc.subscribe(wantHeartbeatSubject, { callback: () => this.heartbeat.want() });
    const reportOutcome = makeReportOutcome({
      findAction: (asked) => findAction(pool, asked),
      findDecision: (asked) => findDecision(pool, asked),
      catchUp: () => this.followers.check(),
      append: (draft) => this.writer.report(draft),
      newId,
      newSalt,
    });
    const reports = respondTo(nc, {
      command: auditLedgerCommands.report,
      queue: serviceName,
      logger,
      handler: (payload) => reportOutcome(payload as CommandRequest<typeof auditLedgerCommands.report>),
    });
    const approvalEvents = respondTo(nc, {
      command: auditLedgerCommands.append_events,
      queue: serviceName,
      logger,
      handler: async (payload) => {
        const { events, erasable } = payload as CommandRequest<typeof auditLedgerCommands.append_events>;
        const said = new Map(
          erasable.map(({ event_id, reason, note }) => [event_id, disclosedOf({ reason, note }, newSalt)]),
        );
        await this.followers.append('approval-service', events, said);
        return {};
      },
    });
    this.parts.push({
      stop: async () => {
        if (!nc.isClosed())
          await Promise.all([subscription.drain(), reports.drain(), approvalEvents.drain(), wanting.drain()]);
      },
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
    this.parts.push(
      consumeEvents(nc, {
        durable: 'audit-ledger-events',
        types: foreignFamilies,
        logger,
        onMessage: (events) => this.followers.receive(events.filter(({ source }) => source !== serviceName)),
      }),
    );
  }

  static async begin(
    options: ActiveWriterOptions,
    session: LedgerSession,
    heads: LogHeads,
    databaseNow: number,
  ): Promise<ActiveWriter> {
    const duty = new ActiveWriter(options, session, heads, databaseNow);
    // Known to the server before the first heartbeat tells the gateways to send.
    await options.nc.flush();
    duty.relay.start();
    duty.heartbeat.start();
    void duty.signEverySecond();
    void duty.checkOnReconnect();
    return duty;
  }

  /** What stands in the way of readiness. */
  get troubles(): string[] {
    const stuck = this.writer.stuckMs > stuckMs ? ['a commit hangs'] : [];
    return [
      ...stuck,
      ...this.followers.stuck.map((source) => `an event of the ${source} cannot enter the log`),
      ...this.followers.withoutValues.map(
        (source) => `events of the ${source} wait for what was said with them`,
      ),
    ];
  }

  /** For how long nothing could be written although something waits, in seconds. */
  get blockedSeconds(): number {
    return this.writer.blockedMs / 1_000;
  }

  /** Asks every source for what is missing, now. */
  catchUp(): void {
    this.followers.check();
  }

  /** Signs a log that has grown, now. */
  sign(orgId?: string): Promise<void> {
    const turn = this.signing.then(() => signCheckpoints(this.options.guard, orgId));
    this.signing = turn.catch(() => {});
    return turn;
  }

  async stop(reason: Error): Promise<void> {
    this.stopping.abort();
    this.heartbeat.stop();
    await this.parts[0]?.stop();
    // Stopping in peace, what was taken is still written and answered.
    if (this.options.nc.isClosed() || reason.cause !== undefined) await this.writer.close(reason);
    else await this.writer.drained();
    await this.writer.close(reason);
    await Promise.allSettled(this.parts.slice(1).map((part) => part.stop()));
    await this.followers.stop();
    await this.relay.stop();
    await this.signing;
  }

  private signEverySecond(): Promise<void> {
    let signedAt = Number.NEGATIVE_INFINITY;
    return this.regularly(signEveryMs, () => {
      if (!this.grown && performance.now() - signedAt < lookForUnsignedMs) return;
      this.grown = false;
      signedAt = performance.now();
      return this.sign().catch((error: unknown) => {
        this.grown = true;
        this.options.logger.error({ err: error }, 'a checkpoint could not be signed');
      });
    });
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
