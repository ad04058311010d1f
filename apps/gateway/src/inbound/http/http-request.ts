import type { Span } from '@opentelemetry/api';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Cleared } from '../../domain/act-release.js';
import type { Principal } from '../../domain/principal.js';

/** What our hooks and the guard add to a request. */
export interface GatewayRequest extends FastifyRequest {
  principal?: Principal;
  span?: Span;
  /** Set by the handler of a submission that was allowed: how long that counts. */
  cleared?: Cleared | null;
}
export type GatewayReply = FastifyReply;
