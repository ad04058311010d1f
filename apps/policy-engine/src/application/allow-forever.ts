import { type CommandRequest, type policyEngineCommands, Refused } from '@agentlattice/contracts';
import type { EventStore, StoredEvent, Tx } from '@agentlattice/event-store';
import type { Logger } from '@agentlattice/observability';
import type pg from 'pg';
import { typeid } from 'typeid-js';
import { contentOf, planForever } from '../domain/forever.js';
import { type PolicyCommand, policyDecider } from '../domain/policy.js';
import type { ForeverRequest, ForeverRequests, PolicyLeft } from '../outbound/forever-requests.js';
import { projectPolicy } from '../outbound/project-policy.js';
import { exactPolicy, standingPolicy } from '../read/standing-policies.js';
import { isNameTaken } from './change-policy.js';

export interface AllowForeverPorts {
  readonly pool: pg.Pool;
  readonly store: EventStore;
  readonly requests: ForeverRequests;
  /** Asks the gateway for the members that are not yet known here. */
  readonly membersCaughtUp: () => Promise<void>;
  /** Waits until this replica judges by what was written. */
  readonly caughtUp: () => Promise<unknown>;
  readonly logger: Logger;
}

/** Another request was faster: with this approval, or with the policies. */
class Overtaken extends Error {
  override readonly name = 'Overtaken';
}

const attempts = 5;
const pageSize = 100;

/**
 * Turns a requirement off because somebody approved a request for ever; for one approval at most once, by whatever way
 * it comes. The approval stands in any case: where the policies moved on they are left alone, and the answer says so.
 */
export class AllowForever {
  constructor(private readonly ports: AllowForeverPorts) {}

  /** By the gateway, while the operator waits. @throws Refused FORBIDDEN */
  async allow(
    request: CommandRequest<typeof policyEngineCommands.allow_forever>,
    traceparent: string | null,
  ): Promise<PolicyLeft> {
    const { operator, ...forever } = request;
    const { member_id, key_id, via, role } = operator;
    if (role !== 'admin' || !(await this.isAdmin(forever.org_id, member_id)))
      throw new Refused('FORBIDDEN', 'only an administrator approves for ever');
    return this.apply({
      ...forever,
      member_id,
      actor: { kind: 'operator', id: member_id, key_id, via },
      traceparent,
    });
  }

  /** Applies approvals for ever that the events tell of and for which no command came. @returns whether there was any */
  async allowNoted(): Promise<boolean> {
    const { requests, logger } = this.ports;
    const unsettled = await requests.unsettled(pageSize);
    for (const noted of unsettled) {
      const about = { org_id: noted.org_id, approval_id: noted.approval_id };
      try {
        if (await this.isAdmin(noted.org_id, noted.member_id)) await this.apply(noted);
        else {
          logger.error(
            about,
            'approved for ever by a member who is not an administrator; no policy is changed',
          );
          await requests.settle(noted, left(noted, 'Only an administrator approves for ever.', null));
        }
      } catch (error) {
        logger.warn({ err: error, ...about }, 'an approval for ever could not be applied; it is tried again');
      }
    }
    return unsettled.length > 0;
  }

  private async isAdmin(orgId: string, memberId: string): Promise<boolean> {
    const { requests, membersCaughtUp } = this.ports;
    const known = await requests.roleOf(orgId, memberId);
    if (known !== null) return known === 'admin';
    await membersCaughtUp();
    return (await requests.roleOf(orgId, memberId)) === 'admin';
  }

  private async apply(request: ForeverRequest): Promise<PolicyLeft> {
    const { requests, caughtUp } = this.ports;
    for (let attempt = 1; ; attempt++) {
      const settled = await requests.result(request);
      if (settled !== null) return settled;
      try {
        await this.applyOnce(request, attempt > 1);
        await caughtUp();
      } catch (error) {
        if (!(error instanceof Overtaken) || attempt === attempts) throw error;
      }
    }
  }

  /** @throws Overtaken when it must be looked at anew */
  private async applyOnce(request: ForeverRequest, again: boolean): Promise<void> {
    const { pool, requests } = this.ports;
    const policy = await standingPolicy(pool, request);
    const plan = planForever(request, policy);
    switch (plan.does) {
      case 'nothing':
        await requests.settle(request, left(request, plan.detail, policy?.version ?? null));
        return;
      case 'allow policy': {
        const { policy_id: policyId, policy_version: expectedVersion } = request;
        const { patch } = plan;
        return this.write(request, { type: 'UpdatePolicy', policyId, patch, expectedVersion }, plan.detail);
      }
      case 'allow action type': {
        const exact = await exactPolicy(pool, request);
        if (exact !== null) {
          const detail = `The policy "${exact.name}" is for exactly ${request.action_type} already; nothing was changed.`;
          await requests.settle(request, { ...left(request, detail, exact.version), policy_id: exact.id });
          return;
        }
        const policyId = typeid('pol').toString();
        const content = contentOf(request, again);
        const detail = `The new policy "${content.name}" allows exactly ${request.action_type} from now on; "${policy?.content.name ?? ''}" was left as it is.`;
        return this.write(request, { type: 'CreatePolicy', policyId, content }, detail);
      }
    }
  }

  private async write(request: ForeverRequest, command: PolicyCommand, detail: string): Promise<void> {
    const { store, requests } = this.ports;
    const { org_id: orgId, actor, correlation_id, traceparent } = request;
    const { policyId } = command;
    try {
      const { events } = await store.update({
        decider: policyDecider,
        orgId,
        streamId: policyId,
        command,
        meta: { actor, correlation_id, traceparent },
        project: (tx, decided) => this.projectAndSettle(tx, decided, request, detail),
      });
      if (events.length === 0) throw new Overtaken('the policy says so already');
    } catch (error) {
      if (error instanceof Refused && error.code === 'VALIDATION_FAILED')
        await requests.settle(
          request,
          left(request, 'The policy has faults by now and was left as it is.', request.policy_version),
        );
      else if (isNameTaken(error) || error instanceof Refused)
        throw new Overtaken('the policies moved on', { cause: error });
      else throw error;
    }
  }

  private async projectAndSettle(
    tx: Tx,
    events: readonly StoredEvent[],
    request: ForeverRequest,
    detail: string,
  ): Promise<void> {
    await projectPolicy(tx, events);
    const [event] = events;
    if (event === undefined) return;
    // From here to the commit nobody else changes policies: what is read now stands beside ours.
    const ours = event.stream_id === request.policy_id;
    if (!ours) {
      const governing = await standingPolicy(tx, request);
      if (governing?.version !== request.policy_version || (await exactPolicy(tx, request, event.stream_id)))
        throw new Overtaken('the policies moved on');
    }
    const result = {
      changed: true,
      policy_id: event.stream_id,
      policy_version: event.version,
      detail,
    };
    if (!(await this.ports.requests.settle(request, result, tx)))
      throw new Overtaken('this approval is settled');
  }
}

const left = ({ policy_id }: ForeverRequest, detail: string, policy_version: number | null): PolicyLeft => ({
  changed: false,
  policy_id,
  policy_version,
  detail,
});
