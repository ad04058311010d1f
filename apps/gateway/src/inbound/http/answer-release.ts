import {
  agentIn,
  type AgentStanding,
  clearedAgentsIn,
  couldLetAct,
  type Moment,
  releaseOf,
} from '../../domain/act-release.js';
import type { Principal } from '../../domain/principal.js';
import type { StoredStanding } from '../../outbound/principal-store.js';
import type { PrincipalDirectory } from '../../outbound/principal-directory.js';
import { authenticate } from './authenticate.js';
import type { GatewayRequest } from './http-request.js';

/**
 * The last step of every answer that may let an agent act. The caller, the agent's suspension and its delegation are looked up
 * again after all waiting, and the rule of `domain/act-release.ts` decides what is sent.
 */
export class AnswerRelease {
  constructor(
    private readonly directory: Pick<PrincipalDirectory, 'findByHash' | 'now'>,
    /** The standing of an agent that another caller asks about. */
    private readonly standingOf: (
      orgId: string,
      agentId: string,
    ) => Promise<Pick<StoredStanding, 'suspended' | 'resumedAt' | 'delegationId'> | null>,
    /** Asks the policy-engine whether a delegation and all above it are live. */
    private readonly delegationIsLive: (orgId: string, delegationId: string) => Promise<boolean>,
  ) {}

  /** The rule for the answers of a route; null when they let no agent act. */
  of(routeId: string): ((request: GatewayRequest, body: unknown) => Promise<unknown>) | null {
    const rule = releaseOf(routeId);
    if (rule === null) return null;
    return async (request, body) => rule(body, await this.momentOf(request, body));
  }

  private async momentOf(request: GatewayRequest, body: unknown): Promise<Moment> {
    const principal = await authenticate(this.directory, request);
    const standing = await this.standing(principal, body);
    return {
      reader: readerOf(principal),
      readerId: principal.kind === 'agent' ? principal.agent.id : null,
      standing,
      others: principal.kind === 'agent' ? await this.others(principal, body) : new Map(),
      now: this.directory.now(),
      cleared: request.cleared ?? null,
    };
  }

  private async standing(principal: Principal, body: unknown): Promise<AgentStanding | null> {
    const { orgId } = principal;
    if (principal.kind === 'agent') {
      const { agent, resumedAt } = principal;
      const { suspended, delegation } = agent;
      return {
        suspended,
        resumedAt,
        delegationEnded: await this.hasEnded(orgId, delegation?.id ?? null, body),
      };
    }
    const agentId = agentIn(body);
    return agentId === null ? null : this.standingOfOther(orgId, agentId, body);
  }

  private async others(
    { orgId, agent }: Extract<Principal, { kind: 'agent' }>,
    body: unknown,
  ): Promise<ReadonlyMap<string, AgentStanding | null>> {
    const ids = new Set(clearedAgentsIn(body).filter((id) => id !== agent.id));
    const standings = [...ids].map(async (id) => [id, await this.standingOfOther(orgId, id, body)] as const);
    return new Map(await Promise.all(standings));
  }

  private async standingOfOther(
    orgId: string,
    agentId: string,
    body: unknown,
  ): Promise<AgentStanding | null> {
    const found = await this.standingOf(orgId, agentId);
    if (found === null) return null;
    const { suspended, resumedAt, delegationId } = found;
    return { suspended, resumedAt, delegationEnded: await this.hasEnded(orgId, delegationId, body) };
  }

  /** Only answers that could let a delegated agent act wait for the policy-engine. */
  private async hasEnded(orgId: string, delegationId: string | null, body: unknown): Promise<boolean> {
    if (delegationId === null || !couldLetAct(body)) return false;
    return !(await this.delegationIsLive(orgId, delegationId));
  }
}

function readerOf(principal: Principal): Moment['reader'] {
  if (principal.kind !== 'operator') return principal.kind;
  return principal.role === 'viewer' ? 'onlooker' : 'operator';
}
