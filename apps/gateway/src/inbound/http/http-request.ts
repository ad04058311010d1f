import type { OpenSpan } from '@agentlattice/observability';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Principal } from '../../domain/principal.js';

/** What our hooks and the guard add to a request. */
export interface GatewayRequest extends FastifyRequest {
  principal?: Principal;
  span?: OpenSpan;
  /** What the body takes of the budget for bodies. */
  bodyMemory?: number;
}
export type GatewayReply = FastifyReply;
