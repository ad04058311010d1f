import { policyInput, type PolicyRef } from '@agentlattice/contracts';
import { connectionLimits, DatabaseClient } from '@agentlattice/event-store';
import type { Logger } from '@agentlattice/observability';
import type pg from 'pg';
import { compilePolicy, type CompiledPolicy } from '../domain/compile-policy.js';
import { type PolicySet, policySet } from '../domain/select-policy.js';
import {
  type AwaitedEntries,
  awaitedEntries,
  findTampering,
  type LedgerFacts,
  type Tampering,
} from '../domain/tampering.js';
import { revisionChannel } from '../outbound/project-policy.js';
import { type LoadedPolicy, loadPolicies } from './load-policies.js';

export interface LivePoliciesOptions {
  readonly databaseUrl: string;
  readonly name: string;
  readonly logger: Logger;
  readonly pollMs?: number;
  /** After so long without a verdict the revision is read only every `idlePollMs`. */
  readonly idleAfterMs?: number;
  readonly idlePollMs?: number;
  readonly staleAfterMs?: number;
  /** How often everything is read again, to notice what was changed behind the service's back. */
  readonly recheckMs?: number;
  /** Told when it was found, when it changed or ended, and at the first comparison; it is denied already. */
  readonly onTampering?: (
    orgId: string,
    known: { tampered: readonly Tampering[]; compared: boolean },
  ) => void;
}

const noPolicies = policySet([]);
const keyOf = ({ id, version, hash }: PolicyRef, reason: string) => [id, version, hash, reason].join(' ');

/** Denies what a policy governed when it was recorded, whatever the database says of it now. */
function recordedPattern({ policy, recordedPattern: action_type }: Tampering): CompiledPolicy[] {
  if (action_type === null) return [];
  return [
    compilePolicy({
      ref: policy,
      content: policyInput.parse({ name: 'as recorded', action_type, effect: 'deny' }),
      createdAt: '',
      tampered: true,
      author: undefined,
      authors: [],
    }),
  ];
}
/** Soon after the policies are stale, so that another connection is tried. */
const askingRevision = {
  text: 'SELECT value, extract(epoch FROM clock_timestamp()) * 1000 AS now FROM revision',
  query_timeout: 1_500,
};

/**
 * All policies, ready to judge by, in this process's memory. A change anywhere is here as soon as PostgreSQL says so,
 * at the latest at the next poll; who asks after a second without an answer from PostgreSQL is told that they are stale.
 * While nothing is judged the polls are rare, and the first verdict waits for a reading (`becomesFresh`).
 */
export class LivePolicies {
  private readonly sets = new Map<string, PolicySet>();
  private readonly facts = new Map<string, LedgerFacts>();
  /** By workspace, the policies whose entry is not known yet. */
  private readonly awaited = new Map<string, AwaitedEntries>();
  private readonly tampered = new Map<string, readonly Tampering[]>();
  private readonly toReload = new Set<string>();
  private readonly compared = new Set<string>();
  /** The alerts that were raised, by workspace: each is raised once while it stands. */
  private readonly alerted = new Map<string, ReadonlySet<string>>();
  private revision = -1;
  /** Monotonic time at which the last answered question was sent; what was committed before it is here. */
  private askedAt = -Infinity;
  /** Epoch milliseconds of the database at a monotonic time. */
  private clock = { database: 0, monotonic: 0 };
  private recheckAt = 0;
  /** When something was to be judged last. */
  private usedAt = performance.now();
  private reading: Promise<boolean> | undefined;
  private wake: () => void = () => undefined;
  private stopped = false;
  private readonly waiting = new Set<{ readonly since: number; readonly resolve: () => void }>();
  private running: Promise<void> = Promise.resolve();
  private client: pg.Client | undefined;

  constructor(private readonly options: LivePoliciesOptions) {}

  start(): void {
    this.running = this.follow();
  }

  async stop(): Promise<void> {
    this.stopped = true;
    this.wake();
    await this.running;
  }

  /** True when every change that was committed a second ago is known. */
  fresh(): boolean {
    return performance.now() - this.askedAt <= (this.options.staleAfterMs ?? 1_000);
  }

  /**
   * Nothing was judged for a while, so the revision has to be read first; or the database does not answer. Those who ask
   * at the same time wait for the same reading. Never rejects.
   * @returns whether the policies are fresh now
   */
  async becomesFresh(): Promise<boolean> {
    this.usedAt = performance.now();
    if (this.fresh()) return true;
    this.reading ??= this.caughtUp().finally(() => (this.reading = undefined));
    await this.reading;
    return this.fresh();
  }

  /** The same for readiness, which is asked in an idle system as well: that is no reason to poll. */
  async answers(): Promise<boolean> {
    return this.fresh() || (await this.caughtUp());
  }

  of(orgId: string): PolicySet {
    this.usedAt = performance.now();
    return this.sets.get(orgId) ?? noPolicies;
  }

  /** Workspaces that have, or had, policies. */
  workspaces(): string[] {
    return [...this.sets.keys()];
  }

  /** True while the log is not known to hold every change that stands here. */
  awaitsEntries(): boolean {
    return [...this.awaited.values()].some(({ size }) => size > 0);
  }

  /**
   * Takes what the log says of a workspace's policies: from here on they are compared with it whenever they are read, and
   * they are read now.
   */
  compareWith(orgId: string, facts: LedgerFacts): void {
    this.facts.set(orgId, facts);
    this.toReload.add(orgId);
    this.wake();
  }

  /** Epoch milliseconds by the database's clock: one clock for all replicas, whatever their hosts say. */
  now(): number {
    return Math.floor(this.clock.database + performance.now() - this.clock.monotonic);
  }

  /** Changes when some policy did. */
  get seenRevision(): number {
    return this.revision;
  }

  /** True once everything committed before the call is known here, false when that takes too long: it is known soon. */
  async caughtUp(withinMs = 500): Promise<boolean> {
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const waiting = { since: performance.now(), resolve: () => resolve(true) };
    const timer = setTimeout(() => resolve(false), withinMs);
    this.waiting.add(waiting);
    this.wake();
    const known = await promise;
    clearTimeout(timer);
    this.waiting.delete(waiting);
    return known;
  }

  private async follow(): Promise<void> {
    while (!this.stopped) {
      try {
        await this.followConnection();
      } catch (error) {
        if (!this.stopped) this.options.logger.warn({ err: error }, 'policies cannot be read');
      } finally {
        await this.client?.end().catch(() => undefined);
      }
      await this.pause(this.pollMs);
    }
  }

  private async followConnection(): Promise<void> {
    const client = new DatabaseClient({
      connectionString: this.options.databaseUrl,
      application_name: this.options.name,
      connectionTimeoutMillis: 2_000,
      ...connectionLimits,
    });
    this.client = client;
    let lost: Error | undefined;
    client.on('error', (error) => {
      lost = error;
      this.wake();
    });
    let notified = false;
    client.on('notification', () => {
      notified = true;
      this.wake();
    });
    await client.connect();
    await client.query(`LISTEN ${revisionChannel}`);
    while (!this.stopped) {
      if (lost !== undefined) throw lost;
      notified = false;
      await this.refresh(client);
      // Told or asked while we were reading: read again at once.
      const asked = [...this.waiting].some(({ since }) => since > this.askedAt);
      if (!notified && !asked) await this.pause(this.untilNextPollMs);
    }
  }

  private async refresh(client: pg.Client): Promise<void> {
    const askedAt = performance.now();
    const { rows } = await client.query<{ value: string; now: string }>(askingRevision);
    const answeredAt = performance.now();
    const [row] = rows;
    if (row === undefined) throw new Error('the revision is missing');
    this.clock = { database: Number(row.now), monotonic: answeredAt };
    const recheck = askedAt >= this.recheckAt;
    const revision = Number(row.value);
    if (recheck || revision !== this.revision || this.toReload.size > 0)
      await this.load(client, recheck ? -1 : this.revision);
    if (recheck) this.recheckAt = askedAt + (this.options.recheckMs ?? 30_000);
    this.revision = revision;
    this.askedAt = askedAt;
    for (const { since, resolve } of this.waiting) if (since <= askedAt) resolve();
  }

  private async load(client: pg.Client, after: number): Promise<void> {
    const { rows } = await client.query<{ org_id: string }>(
      'SELECT org_id FROM workspace_revision WHERE revision > $1',
      [after],
    );
    const compared = [...this.toReload];
    const loaded = await loadPolicies(client, [...new Set([...rows.map((row) => row.org_id), ...compared])]);
    for (const orgId of compared) this.toReload.delete(orgId);
    for (const [orgId, policies] of loaded) this.take(orgId, policies);
  }

  /** Compares what was read with the log, and judges by it from now on. */
  private take(orgId: string, policies: readonly LoadedPolicy[]): void {
    const facts = this.facts.get(orgId);
    const stored = new Map(policies.map((policy) => [policy.stored.ref.id, policy.stored]));
    const before = { awaited: this.awaited.get(orgId), tampered: this.tampered.get(orgId) };
    const awaited = awaitedEntries(stored, facts, before, this.now());
    const found = findTampering(stored, facts, awaited);
    this.awaited.set(orgId, awaited);
    this.tampered.set(orgId, found);
    const tampered = new Set(found.map(({ policy }) => policy.id));
    const standing = policies.flatMap(({ compiled }) =>
      compiled.map((policy) => (tampered.has(policy.ref.id) ? { ...policy, tampered: true } : policy)),
    );
    this.sets.set(orgId, policySet([...standing, ...found.flatMap(recordedPattern)]));
    const changed = this.raiseAlerts(orgId, found);
    const first = facts !== undefined && !this.compared.has(orgId);
    if (first) this.compared.add(orgId);
    if (changed || first)
      this.options.onTampering?.(orgId, { tampered: found, compared: facts !== undefined });
  }

  /** True when something was found or ended that was not known before. */
  private raiseAlerts(orgId: string, found: readonly Tampering[]): boolean {
    const before = this.alerted.get(orgId) ?? new Set();
    for (const { policy, reason, found: version } of found)
      if (!before.has(keyOf(policy, reason)))
        this.options.logger.error(
          {
            org_id: orgId,
            policy_id: policy.id,
            version: policy.version,
            found: version,
            reason,
            alert: 'POLICY_TAMPERED',
          },
          'a policy is not what the log recorded of it; whatever it governs is denied',
        );
    const now = new Set(found.map(({ policy, reason }) => keyOf(policy, reason)));
    this.alerted.set(orgId, now);
    return now.size !== before.size || [...now].some((key) => !before.has(key));
  }

  private get untilNextPollMs(): number {
    const { idleAfterMs = 5_000, idlePollMs = 10_000 } = this.options;
    const now = performance.now();
    if (now - this.usedAt <= idleAfterMs) return this.pollMs;
    return Math.max(Math.min(idlePollMs, this.recheckAt - now), this.pollMs);
  }

  private get pollMs(): number {
    return this.options.pollMs ?? 250;
  }

  private pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
