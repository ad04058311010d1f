import type { CallHandler, ExecutionContext, NestInterceptor } from '@nestjs/common';
import { from, mergeMap, type Observable } from 'rxjs';
import { agentIn, type AgentStanding, type Moment, releaseOf } from '../../domain/act-release.js';
import type { Principal } from '../../domain/principal.js';
import type { PrincipalDirectory } from '../../outbound/principal-directory.js';
import { callerOf } from './caller-of.js';
import { routeOf } from './handles.js';
import type { GatewayRequest } from './http-request.js';

/**
 * The last step of every answer that may let an agent act: who asks and how the agent stands are looked up anew, after
 * all that the answer waited for, and the rule of `domain/act-release.ts` says what of it may leave.
 */
export class ActReleaseInterceptor implements NestInterceptor {
  constructor(
    private readonly directory: Pick<PrincipalDirectory, 'find' | 'now'>,
    /** Of an agent that somebody else asks about. */
    private readonly standingOf: (orgId: string, agentId: string) => Promise<AgentStanding | null>,
  ) {}

  intercept(context: ExecutionContext, next: CallHandler<unknown>): Observable<unknown> {
    const release = releaseOf(routeOf(context.getHandler())?.id ?? '');
    if (release === null) return next.handle();
    const request = context.switchToHttp().getRequest<GatewayRequest>();
    return next
      .handle()
      .pipe(mergeMap((body) => from(this.momentOf(request, body).then((moment) => release(body, moment)))));
  }

  private async momentOf(request: GatewayRequest, body: unknown): Promise<Moment> {
    const principal = await callerOf(this.directory, request);
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
