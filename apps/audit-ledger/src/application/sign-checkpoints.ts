import { checkpointText, type GuardPorts } from './guard-start.js';

/**
 * Signs the logs that grew, by the state in the tables. A checkpoint is first archived outside of the database, then stored,
 * then published. A head only grows, so there is one root for each size. Only the active writer may call it, after the start
 * guard.
 */
export const makeSignCheckpoints =
  ({ archive, checkpoints, keys }: GuardPorts) =>
  async (orgId?: string): Promise<void> => {
    for (const end of await checkpoints.grown(orgId)) {
      const note = keys.sign(end.origin, checkpointText(end));
      await archive.append(end.orgId, note);
      await checkpoints.add(end, note);
    }
  };
