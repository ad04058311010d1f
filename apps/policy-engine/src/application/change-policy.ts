import { type Actor, type PolicyView, Refused } from '@agentlattice/contracts';
import type { EventStore } from '@agentlattice/event-store';
import { type PolicyCommand, policyDecider } from '../domain/policy.js';
import { projectPolicy, type WrittenWith } from '../outbound/project-policy.js';
import type { PolicyReader } from '../read/policy-reader.js';
import { type PolicyRow, toView } from '../read/policy-row.js';

export interface ChangeContext extends WrittenWith {
  readonly org_id: string;
  readonly actor: Actor;
  readonly correlation_id: string | null;
  readonly traceparent: string | null;
}

export interface ChangePolicyPorts {
  readonly store: EventStore;
  readonly reader: PolicyReader;
  /** Waits until this replica judges by the written policy. */
  readonly caughtUp: () => Promise<unknown>;
}

/**
 * Decides a command on one policy and writes its events. When this returns the change is on disk and in force at this replica;
 * every other replica has it within a second.
 */
export const makeChangePolicy =
  ({ store, reader, caughtUp }: ChangePolicyPorts) =>
  async (command: PolicyCommand, context: ChangeContext): Promise<ChangedPolicy> => {
    const { org_id, actor, correlation_id, traceparent } = context;
    let row: PolicyRow | undefined;
    try {
      const { state, events } = await store.update({
        decider: policyDecider,
        orgId: org_id,
        streamId: command.policyId,
        command,
        meta: { actor, correlation_id, traceparent },
        project: async (tx, decided) => {
          row = await projectPolicy(tx, decided, context);
        },
      });
      if (events.length > 0) await caughtUp();
      return {
        version: state.status === 'none' ? 0 : state.version,
        // No event was decided, so the policy did not change.
        view: async () => (row === undefined ? reader.get(org_id, command.policyId) : toView(row)),
      };
    } catch (error) {
      if (isNameTaken(error))
        throw new Refused('POLICY_NAME_TAKEN', 'another policy of this workspace has this name', {
          errors: [{ pointer: '/name', detail: 'is taken' }],
        });
      throw error;
    }
  };
export type ChangePolicy = ReturnType<typeof makeChangePolicy>;

export interface ChangedPolicy {
  readonly version: number;
  /** The policy as this change left it. */
  view(): Promise<PolicyView>;
}

export const isNameTaken = (error: unknown) =>
  error instanceof Error &&
  (error as { code?: unknown }).code === '23505' &&
  (error as { constraint?: unknown }).constraint === 'policy_name';
