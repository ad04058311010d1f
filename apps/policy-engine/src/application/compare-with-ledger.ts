import { auditLedgerCommands as ledger, type RecordedPolicy } from '@agentlattice/contracts';
import type { CommandClient } from '@agentlattice/messaging';
import type { LivePolicies } from '../read/live-policies.js';

const pageSize = 500;
/** At least once a minute (design §3.7). */
const everyMs = 45_000;
/** While a change waits for its entry, so that the entry is found soon. */
const whileAwaitingMs = 5_000;

/**
 * Reads the entries of all policies from the logs and has the policies compared with them. While the ledger is away, the last
 * reading still counts. Before the first reading only policies that contradict themselves are found, and the reading is tried
 * every second.
 */
export class CompareWithLedger {
  private comparedAt = Number.NEGATIVE_INFINITY;

  constructor(
    private readonly client: CommandClient,
    private readonly policies: Pick<
      LivePolicies,
      'caughtUp' | 'now' | 'workspaces' | 'compareWith' | 'awaitsEntries'
    >,
  ) {}

  /** Compares when a comparison is due. @returns whether there was, or soon will be, something to do @throws Unavailable */
  async compareIfDue(): Promise<boolean> {
    const awaits = this.policies.awaitsEntries();
    if (performance.now() - this.comparedAt < (awaits ? whileAwaitingMs : everyMs)) return awaits;
    if (!(await this.policies.caughtUp())) return true;
    await this.compare();
    this.comparedAt = performance.now();
    return true;
  }

  private async compare(): Promise<void> {
    const asOf = this.policies.now();
    const byWorkspace = new Map<string, Map<string, RecordedPolicy>>();
    let gpos: number | undefined;
    let after: { org_id: string; policy_id: string } | null = null;
    for (;;) {
      const page: { policies: RecordedPolicy[]; gpos: number; complete: boolean } = await this.client.request(
        ledger.recorded_policies,
        { org_id: null, after, limit: pageSize },
      );
      // The position of the first page: later pages are at least as new.
      gpos ??= page.gpos;
      for (const policy of page.policies) {
        const known = byWorkspace.get(policy.org_id) ?? new Map<string, RecordedPolicy>();
        byWorkspace.set(policy.org_id, known.set(policy.policy_id, policy));
      }
      const last = page.policies.at(-1);
      if (page.complete || last === undefined) break;
      after = { org_id: last.org_id, policy_id: last.policy_id };
    }
    for (const orgId of new Set([...this.policies.workspaces(), ...byWorkspace.keys()]))
      this.policies.compareWith(orgId, { policies: byWorkspace.get(orgId) ?? new Map(), gpos, asOf });
  }
}
