import { Refused } from '@agentlattice/contracts';
import type { EventStore, StoredEvent, Tx } from '@agentlattice/event-store';
import type pg from 'pg';
import { typeid } from 'typeid-js';
import { contentOf, exactAlready, exactFromNow, planForever } from '../domain/forever.js';
import { type PolicyCommand, policyDecider } from '../domain/policy.js';
import type { ForeverRequest, ForeverRequests, PolicyLeft } from '../outbound/forever-requests.js';
import { projectPolicy } from '../outbound/project-policy.js';
import { exactPolicy, standingPolicy } from '../read/standing-policies.js';
import { isNameTaken } from './change-policy.js';

export interface ApplyForeverPorts {
  readonly pool: pg.Pool;
  readonly store: EventStore;
  readonly requests: ForeverRequests;
  /** Waits until this replica judges by the written policy. */
  readonly caughtUp: () => Promise<unknown>;
}

/** Another request settled this approval first, or changed the policies. */
class Overtaken extends Error {
  override readonly name = 'Overtaken';
}

const attempts = 5;

/**
 * Turns a requirement off because a request was approved for ever; at most once for one approval, whether a command or an event
 * asks for it. The approval stands in any case: where the policies have changed since, they are not changed again, and the
 * answer says so.
 */
export const makeApplyForever =
  (ports: ApplyForeverPorts) =>
  async (request: ForeverRequest): Promise<PolicyLeft> => {
    for (let attempt = 1; ; attempt++) {
      const settled = await ports.requests.result(request);
      if (settled !== null) return settled;
      try {
        await applyOnce(ports, request, attempt > 1);
        await ports.caughtUp();
      } catch (error) {
        if (!(error instanceof Overtaken) || attempt === attempts) throw error;
      }
    }
  };
export type ApplyForever = ReturnType<typeof makeApplyForever>;

/** @throws Overtaken when the approval and the policies must be read again */
async function applyOnce(ports: ApplyForeverPorts, request: ForeverRequest, again: boolean): Promise<void> {
  const { pool, requests } = ports;
  const policy = await standingPolicy(pool, request);
  const plan = planForever(request, policy);
  switch (plan.does) {
    case 'nothing':
      await requests.settle(request, policyLeft(request, plan.detail, policy?.version ?? null));
      return;
    case 'allow policy': {
      const { policy_id: policyId, policy_version: expectedVersion } = request;
      const { patch } = plan;
      return write(ports, request, { type: 'UpdatePolicy', policyId, patch, expectedVersion }, plan.detail);
    }
    case 'allow action type': {
      const exact = await exactPolicy(pool, request);
      if (exact !== null) {
        const detail = exactAlready(exact.name, request.action_type);
        await requests.settle(request, {
          ...policyLeft(request, detail, exact.version),
          policy_id: exact.id,
        });
        return;
      }
      const policyId = typeid('pol').toString();
      const content = contentOf(request, again);
      const detail = exactFromNow(content.name, request.action_type, policy?.content.name ?? '');
      return write(ports, request, { type: 'CreatePolicy', policyId, content }, detail);
    }
  }
}

async function write(
  ports: ApplyForeverPorts,
  request: ForeverRequest,
  command: PolicyCommand,
  detail: string,
): Promise<void> {
  const { store, requests } = ports;
  const { org_id: orgId, actor, correlation_id, traceparent } = request;
  const { policyId } = command;
  try {
    const { events } = await store.update({
      decider: policyDecider,
      orgId,
      streamId: policyId,
      command,
      meta: { actor, correlation_id, traceparent },
      project: (tx, decided) => projectAndSettle(requests, tx, decided, request, detail),
    });
    if (events.length === 0) throw new Overtaken('the policy has this content already');
  } catch (error) {
    if (error instanceof Refused && error.code === 'VALIDATION_FAILED')
      await requests.settle(
        request,
        policyLeft(request, 'The policy has faults by now and was left as it is.', request.policy_version),
      );
    else if (isNameTaken(error) || error instanceof Refused)
      throw new Overtaken('the policies have changed', { cause: error });
    else throw error;
  }
}

async function projectAndSettle(
  requests: ForeverRequests,
  tx: Tx,
  events: readonly StoredEvent[],
  request: ForeverRequest,
  detail: string,
): Promise<void> {
  await projectPolicy(tx, events);
  const [event] = events;
  if (event === undefined) return;
  // From here to the commit no other transaction changes policies, so what is read now is committed together with ours.
  const ours = event.stream_id === request.policy_id;
  if (!ours) {
    const governing = await standingPolicy(tx, request);
    if (governing?.version !== request.policy_version || (await exactPolicy(tx, request, event.stream_id)))
      throw new Overtaken('the policies have changed');
  }
  const result = {
    changed: true,
    policy_id: event.stream_id,
    policy_version: event.version,
    detail,
  };
  if (!(await requests.settle(request, result, tx))) throw new Overtaken('this approval is settled');
}

/** The answer when no policy was changed. */
export const policyLeft = (
  { policy_id }: ForeverRequest,
  detail: string,
  policy_version: number | null,
): PolicyLeft => ({
  changed: false,
  policy_id,
  policy_version,
  detail,
});
