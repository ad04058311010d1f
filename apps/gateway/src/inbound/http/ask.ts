import type { IdPrefix } from '@agentlattice/contracts';
import { page, readCursor } from '@agentlattice/service';
import type { Asked } from '../../application/principals.js';
import { actorOf, type Via, originWith, type Principal } from '../../domain/principal.js';
import type { GatewayRequest } from './http-request.js';
import { currentTraceparent } from '@agentlattice/observability';

/** Which of our own clients called, as it says itself; it is recorded and decides nothing. */
export const viaOf = ({ headers }: GatewayRequest): Via =>
  headers['user-agent']?.startsWith('agentlattice-cli/') === true ? 'cli' : 'api';

/** Who asks, as use cases take it. The request's id is the correlation id of everything it causes. */
export function askedBy(principal: Principal, request: GatewayRequest): Asked {
  return {
    orgId: principal.orgId,
    meta: {
      actor: actorOf(principal, viaOf(request)),
      correlation_id: request.id,
      traceparent: currentTraceparent(),
    },
    memberId:
      principal.kind === 'operator'
        ? principal.memberId
        : principal.kind === 'service'
          ? principal.madeBy
          : null,
    instanceAdmin: principal.kind === 'operator' && principal.instanceAdmin,
    originOf: (memberId) => originWith(principal, memberId),
  };
}

/**
 * A page of rows sorted by id: one more than asked for says whether there is a next one.
 * @throws Refused VALIDATION_FAILED when the cursor is none of such a page
 */
export async function pageOf<T extends { readonly id: string }>(
  idPrefix: IdPrefix,
  query: { readonly cursor?: string | undefined; readonly limit: number },
  read: (page: { cursor: string | null; limit: number }) => Promise<T[]>,
): Promise<{ items: T[]; next_cursor: string | null }> {
  const cursor = readCursor(query.cursor ?? null, new RegExp(`^${idPrefix}_[0-9a-z]{26}$`));
  return page(await read({ cursor, limit: query.limit + 1 }), query.limit, ({ id }) => id);
}
