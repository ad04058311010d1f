import type { OpenSpan } from '@agentlattice/observability';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Cleared } from '../../domain/act-release.js';
import type { Principal } from '../../domain/principal.js';

/** What our hooks and the guard add to a request. */
export interface GatewayRequest extends FastifyRequest {
  principal?: Principal;
  /** Of the key that came with it; null: none came. Made once, though who it stands for is asked several times. */
  keyHash?: string | null;
  span?: OpenSpan;
  /** The workspace of the key, known before the body is read; missing where there is no body. */
  orgId?: string;
  /** Counted by the limit of its key's rate. */
  isCounted?: boolean;
  /** Gives room to the workspace's next large body; any number of times. */
  endLargeBody?: () => void;
  /** Answered, or the client has gone. */
  isOver?: boolean;
  /** Set by the handler of a submission that was allowed: how long that counts. */
  cleared?: Cleared | null;
  /** What the body takes of the budget for bodies. */
  bodyMemory?: number;
}
export type GatewayReply = FastifyReply;
