import type { EventMeta, StoredEvent } from './stored-event.js';

/**
 * Where a command was executed before: the number of its event in the history of a stream. A caller sends a command again with the same
 * id while no answer comes. The correlation id is none by which it could be recognised: clients choose it with `X-Request-ID`.
 * @returns -1 when the stream has no event of it
 */
export const indexOfCommand = ({ command_id }: EventMeta, history: readonly StoredEvent[]): number =>
  command_id === undefined ? -1 : history.findIndex(({ meta }) => meta.command_id === command_id);
