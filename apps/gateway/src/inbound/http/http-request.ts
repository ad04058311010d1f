import type { OpenSpan } from '@agentlattice/observability';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Cleared } from '../../domain/act-release.js';
import type { Principal } from '../../domain/principal.js';

/** The members that our hooks and the guard add to a request. */
export interface GatewayRequest extends FastifyRequest {
  principal?: Principal;
  /** The hash of the key or session; null without one. Computed once, although the principal is looked up several times. */
  keyHash?: string | null;
  span?: OpenSpan;
  /** The workspace of the key, known before the body is read; missing where there is no body. */
  orgId?: string;
  /** Whether the rate limit of the key has counted it. */
  isCounted?: boolean;
  /** Lets the workspace's next large body begin; may be called more than once. */
  endLargeBody?: () => void;
  /** Whether it was answered, or the client disconnected. */
  isOver?: boolean;
  /** The times between which an allowed submission is cleared, set by its handler. */
  cleared?: Cleared | null;
  /** The memory that the body takes of the budget for bodies. */
  bodyMemory?: number;
}
export type GatewayReply = FastifyReply;
