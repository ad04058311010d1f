import { auditLedgerCommands as ledger, type RecordedPolicy } from '@agentlattice/contracts';
import type { CommandClient } from '@agentlattice/messaging';
import type { LivePolicies } from '../read/live-policies.js';

const pageSize = 500;
/** At least once a minute (design §3.7). */
const everyMs = 45_000;
/** While a change waits for its entry, so that it is soon known to have one. */
const whileAwaitingMs = 5_000;

/**
 * Reads what the logs say of every policy and has the policies compared with it. While the ledger is away what was read last
 * still counts; before the first reading nothing is known of tampering but what contradicts itself, and each second it is
 * tried again: submissions need the ledger as well.
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

  /** Compares when it is time to. @returns whether there was, or soon will be, something to do @throws Unavailable */
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
      // Of the first page: later ones may know more, and none knows less.
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
