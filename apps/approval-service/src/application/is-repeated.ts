import type { StoredEvent, StreamRef } from '@agentlattice/event-store';

/**
 * Where a command was executed before: the number of its event. The gateway sends a command again with the same id while no answer
 * comes. The correlation id is none by which it could be recognised: clients choose it with `X-Request-ID`.
 * @returns -1 when the stream has no event of it
 */
export const indexOfRepeated = ({ meta }: StreamRef, history: readonly StoredEvent[]): number =>
  meta.command_id === undefined
    ? -1
    : history.findIndex((event) => event.meta.command_id === meta.command_id);
