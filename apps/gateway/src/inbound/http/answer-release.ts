import { agentIn, type AgentStanding, type Moment, releaseOf } from '../../domain/act-release.js';
import type { Principal } from '../../domain/principal.js';
import type { PrincipalDirectory } from '../../outbound/principal-directory.js';
import { authenticate } from './authenticate.js';
import type { GatewayRequest } from './http-request.js';

/**
 * The last step of every answer that may let an agent act. The caller and the agent's suspension are looked up again after all
 * waiting, and the rule of `domain/act-release.ts` decides what is sent.
 */
export class AnswerRelease {
  constructor(
    private readonly directory: Pick<PrincipalDirectory, 'findByHash' | 'now'>,
    /** The standing of an agent that another caller asks about. */
    private readonly standingOf: (orgId: string, agentId: string) => Promise<AgentStanding | null>,
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
      standing,
      now: this.directory.now(),
      cleared: request.cleared ?? null,
    };
  }

  private async standing(principal: Principal, body: unknown): Promise<AgentStanding | null> {
    if (principal.kind === 'agent')
      return { suspended: principal.agent.suspended, resumedAt: principal.resumedAt };
    const agentId = agentIn(body);
    return agentId === null ? null : this.standingOf(principal.orgId, agentId);
  }
}

function readerOf(principal: Principal): Moment['reader'] {
  if (principal.kind !== 'operator') return principal.kind;
  return principal.role === 'viewer' ? 'onlooker' : 'operator';
}
