import { type CommandRequest, type policyEngineCommands, Refused } from '@agentlattice/contracts';
import type { AllowForeverResult } from '../outbound/forever-requests.js';
import type { ApplyForever } from './apply-forever.js';
import type { IsAdministrator } from './is-administrator.js';

export interface AllowForeverPorts {
  readonly isAdministrator: IsAdministrator;
  readonly apply: ApplyForever;
}

/** Approving forever by a command of the gateway, which the operator waits for. @throws Refused FORBIDDEN */
export const makeAllowForever =
  ({ isAdministrator, apply }: AllowForeverPorts) =>
  async (
    { operator, ...forever }: CommandRequest<typeof policyEngineCommands.allow_forever>,
    traceparent: string | null,
  ): Promise<AllowForeverResult> => {
    const { member_id, key_id, via, role } = operator;
    if (role !== 'admin' || !(await isAdministrator(forever.org_id, member_id)))
      throw new Refused('FORBIDDEN', 'only an administrator approves forever');
    return apply({
      ...forever,
      member_id,
      actor: { kind: 'operator', id: member_id, key_id, via },
      traceparent,
    });
  };
export type AllowForever = ReturnType<typeof makeAllowForever>;
