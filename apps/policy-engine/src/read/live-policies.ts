import { policyInput, type PolicyRef } from '@agentlattice/contracts';
import { connectionLimits, DatabasePool } from '@agentlattice/event-store';
import { type Logger, observe } from '@agentlattice/observability';
import { RevisionWatch } from '@agentlattice/service';
import type { LiveLinks } from '../domain/chain-of-links.js';
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
import { LiveDelegations } from './live-delegations.js';
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
  /** How often all policies are read again, to find changes that the service did not make. */
  readonly recheckMs?: number;
  /** Called when tampering was found, changed or ended, and at the first comparison; its actions are denied already. */
  readonly onTampering?: (
    orgId: string,
    known: { tampered: readonly Tampering[]; compared: boolean },
  ) => void;
}

/** How long a verdict or a command waits for a reading. */
const readWithinMs = 500;
const noPolicies = policySet([]);
const keyOf = ({ id, version, hash }: PolicyRef, reason: string) => [id, version, hash, reason].join(' ');

/** Denies the actions that a policy governed when it was recorded, whatever the database contains now. */
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
/**
 * All policies, compiled, and the live delegations in this process's memory. A change anywhere is known here as soon as PostgreSQL notifies it, at the
 * latest at the next poll; when the revision could not be read for a second, the policies are stale and nothing is judged.
 * While nothing is judged the polls are rare, and the first verdict waits for a reading (`becomesFresh`).
 */
export class LivePolicies {
  private readonly sets = new Map<string, PolicySet>();
  private readonly facts = new Map<string, LedgerFacts>();
  /** The policies whose entry is not known yet, by workspace. */
  private readonly awaited = new Map<string, AwaitedEntries>();
  private readonly tampered = new Map<string, readonly Tampering[]>();
  private readonly toReload = new Set<string>();
  private readonly compared = new Set<string>();
  /** The raised alerts by workspace: each is raised once while it stands. */
  private readonly alerted = new Map<string, ReadonlySet<string>>();
  private readonly live = new LiveDelegations();
  private revision = -1;
  private recheckAt = 0;
  private readonly pool: DatabasePool;
  private readonly watch: RevisionWatch;
  private readonly endGauge = observe('agentlattice.policy.staleness', () => [
    { value: this.watch.ageSeconds, labels: {} },
  ]);

  constructor(private readonly options: LivePoliciesOptions) {
    const { databaseUrl, name, logger, pollMs, idleAfterMs, idlePollMs, staleAfterMs } = options;
    // Two connections of its own, one of them for notifications: no command of the service can hold up a reading.
    this.pool = new DatabasePool({
      connectionString: databaseUrl,
      application_name: name,
      max: 2,
      // Longer than the pauses between polls while nothing is judged.
      idleTimeoutMillis: 30_000,
      connectionTimeoutMillis: 2_000,
      ...connectionLimits,
    });
    this.pool.on('error', (error) =>
      logger.warn({ err: error }, 'a connection for reading policies was lost'),
    );
    this.pool.on('connect', (client) => client.on('error', () => {}));
    this.watch = new RevisionWatch({
      of: 'policies',
      pool: this.pool,
      channel: revisionChannel,
      onReading: (revision) => this.refresh(Number(revision)),
      logger,
      ...(pollMs === undefined ? {} : { pollMs }),
      ...(idleAfterMs === undefined ? {} : { idleAfterMs }),
      ...(idlePollMs === undefined ? {} : { idlePollMs }),
      ...(staleAfterMs === undefined ? {} : { staleAfterMs }),
    });
  }

  /** Resolves once the policies were read. A database that does not answer now is read again later; until then nothing is judged. */
  async start(): Promise<void> {
    await this.watch.start();
    await this.watch.becomesFresh();
  }

  async stop(): Promise<void> {
    this.endGauge();
    await this.watch.stop();
    await this.pool.end();
  }

  /** True when every change that was committed a second ago is known. */
  fresh(): boolean {
    return this.watch.isFresh();
  }

  /**
   * Reads the revision when nothing was judged for a while or the database does not answer. Callers at the same time wait for
   * the same reading. Never rejects.
   * @returns whether the policies are fresh now
   */
  becomesFresh(): Promise<boolean> {
    this.watch.used();
    return this.watch.becomesFresh(readWithinMs);
  }

  /** Like `becomesFresh`, for readiness. An idle system is asked for it as well, so it does not make the polls frequent. */
  answers(): Promise<boolean> {
    return this.watch.becomesFresh(readWithinMs);
  }

  of(orgId: string): PolicySet {
    this.watch.used();
    return this.sets.get(orgId) ?? noPolicies;
  }

  /** The delegations that have not ended, as fresh as the policies. */
  get delegations(): LiveLinks {
    return this.live.links;
  }

  /** Workspaces that have, or had, policies. */
  workspaces(): string[] {
    return [...this.sets.keys()];
  }

  /** True while the entry of any change is not known yet. */
  awaitsEntries(): boolean {
    return [...this.awaited.values()].some(({ size }) => size > 0);
  }

  /**
   * Takes the log's entries of a workspace's policies. From here on the policies are compared with them whenever they are read, and
   * they are read now.
   */
  compareWith(orgId: string, facts: LedgerFacts): void {
    this.facts.set(orgId, facts);
    this.toReload.add(orgId);
    void this.watch.readAnew();
  }

  /** Epoch milliseconds by the database's clock. */
  now(): number {
    return this.watch.now();
  }

  /** Changes when any policy changes. */
  get seenRevision(): number {
    return this.revision;
  }

  /** True once everything committed before the call is known here, false when that takes too long. */
  caughtUp(): Promise<boolean> {
    return this.watch.caughtUp(readWithinMs);
  }

  private async refresh(revision: number): Promise<void> {
    const now = performance.now();
    const recheck = now >= this.recheckAt;
    if (recheck || revision !== this.revision || this.toReload.size > 0)
      await this.load(recheck ? -1 : this.revision);
    if (recheck) this.recheckAt = now + (this.options.recheckMs ?? 30_000);
    this.revision = revision;
  }

  private async load(after: number): Promise<void> {
    const { rows } = await this.pool.query<{ org_id: string }>(
      'SELECT org_id FROM workspace_revision WHERE revision > $1',
      [after],
    );
    await this.live.read(this.pool, after);
    const compared = [...this.toReload];
    const loaded = await loadPolicies(this.pool, [
      ...new Set([...rows.map((row) => row.org_id), ...compared]),
    ]);
    for (const orgId of compared) this.toReload.delete(orgId);
    for (const [orgId, policies] of loaded) this.take(orgId, policies);
  }

  /** Compares the policies that were read with the log, and judges by them from now on. */
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

  /** True when tampering was newly found or ended. */
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
          'a policy differs from its entry in the log; every action it governs is denied',
        );
    const now = new Set(found.map(({ policy, reason }) => keyOf(policy, reason)));
    this.alerted.set(orgId, now);
    return now.size !== before.size || [...now].some((key) => !before.has(key));
  }
}
