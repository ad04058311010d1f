import {
  approvalServiceCommands as commands,
  type ApprovalView,
  type OpenItem,
} from '@agentlattice/contracts';
import { eventually } from '@agentlattice/testkit';
import { requested } from './approval-fixture.js';
import { type ApprovalHarness, approvalHarness } from './approval-harness.js';
import { asks, type FakePolicyEngine, fakePolicyEngine } from './fake-policy-engine.js';

/** The service with a fake policy-engine. */
export interface PolicyChangeHarness extends ApprovalHarness {
  readonly engine: FakePolicyEngine;
  view(item: OpenItem): Promise<ApprovalView>;
  statusOf(item: OpenItem): Promise<string>;
  /** All events except the openings, in the order of their commits. */
  events(org: string): Promise<{ approval_id: string; type: string; data: Record<string, unknown> }[]>;
  /** All changes of the workspace are noted. */
  noted(org: string): Promise<unknown>;
  /** All changes of the workspace are noted, and their requests are judged. */
  settled(org: string): Promise<unknown>;
  /** Resets the engine before each test. */
  reset(): void;
}

/** So late that only a change after the opening concerns the request. */
export const judgedLate = () => new Date(Date.now() + 3_600_000).toISOString();

/** Requests in the order of their age. */
export const many = (org: string, count: number, changes: Partial<OpenItem> = {}) =>
  Array.from({ length: count }, (_, i) =>
    requested(org, 600_000, {
      requested_at: new Date(Date.now() - 1_000 + i).toISOString(),
      judged_at: judgedLate(),
      ...changes,
    }),
  );

export async function policyChangeHarness(): Promise<PolicyChangeHarness> {
  const harness = await approvalHarness();
  const engine = await fakePolicyEngine(harness.natsUrl('policy-engine'));
  const view = ({ org_id, approval_id }: OpenItem) =>
    harness.n.client.request(commands.get_approval, { org_id, approval_id, agent_id: null });
  const count = async (sql: string, org: string) =>
    (await harness.pool.query<{ n: number }>(`SELECT (${sql})::int AS n`, [org])).rows[0]?.n;
  const noted = (org: string) =>
    eventually(
      async () =>
        (await count('SELECT count(*) FROM policy_change WHERE org_id = $1', org)) ===
        engine.source.events.filter((event) => event.org_id === org).length,
    );
  return {
    ...harness,
    engine,
    view,
    statusOf: async (item) => (await view(item)).status,
    events: async (org) =>
      (
        await harness.pool.query<{ approval_id: string; type: string; data: Record<string, unknown> }>(
          `SELECT stream_id AS approval_id, type, data FROM event
            WHERE org_id = $1 AND type <> 'approval.opened' ORDER BY id`,
          [org],
        )
      ).rows,
    noted,
    settled: async (org) => {
      await noted(org);
      const left = `SELECT count(*) FROM (SELECT FROM policy_change WHERE NOT spread AND org_id = $1
                                          UNION ALL SELECT FROM rejudging WHERE org_id = $1) AS undone`;
      return eventually(async () => (await count(left, org)) === 0, { within: 60_000 });
    },
    reset: () => {
      engine.judge = () => asks();
      engine.atOnce = 100;
      engine.thinking = Promise.resolve();
      engine.asked.splice(0);
    },
    stop: async () => {
      await engine.stop();
      await harness.stop();
    },
  };
}
