import type { Outcome } from '@agentlattice/event-store';

/**
 * Whether a refused command was executed before: the gateway sent it again, because no answer had come. Both have the actor and
 * the `correlation_id` of one HTTP request.
 */
export const isRepeated = ({ stream: { meta }, history, refused }: Outcome<unknown>): boolean =>
  refused !== null &&
  meta.correlation_id !== null &&
  history.some(
    ({ meta: { actor, correlation_id } }) =>
      correlation_id === meta.correlation_id &&
      actor?.kind === meta.actor?.kind &&
      actor?.id === meta.actor?.id,
  );
