import type { CallHandler, ExecutionContext, NestInterceptor } from '@nestjs/common';
import { mergeMap, type Observable } from 'rxjs';
import type { AnswerRelease } from './answer-release.js';
import { routeOf } from './route-decorators.js';
import type { GatewayRequest } from './http-request.js';

/** Applies the rule of `domain/act-release.ts` to the answers of controllers. */
export class ActReleaseInterceptor implements NestInterceptor {
  constructor(private readonly answers: AnswerRelease) {}

  intercept(context: ExecutionContext, next: CallHandler<unknown>): Observable<unknown> {
    const release = this.answers.of(routeOf(context.getHandler())?.id ?? '');
    if (release === null) return next.handle();
    const request = context.switchToHttp().getRequest<GatewayRequest>();
    return next.handle().pipe(mergeMap((body) => release(request, body)));
  }
}
