import { eventStreamName } from '@agentlattice/contracts';
import { natsOptions } from '@agentlattice/launcher';
import { DiscardPolicy, jetstreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';

/**
 * Makes the event stream refuse all writes while it answers all queries, as it does after its disk was full. A restart does not
 * repair it.
 * @returns a function that lets it store again
 */
export async function refuseWrites(adminUrl: string): Promise<() => Promise<void>> {
  const update = async (limits: { max_bytes: number; discard: DiscardPolicy }) => {
    const nc = await connect({ ...natsOptions(adminUrl), timeout: 5_000 });
    try {
      await (await jetstreamManager(nc)).streams.update(eventStreamName, limits);
    } finally {
      await nc.close();
    }
  };
  await update({ max_bytes: 1, discard: DiscardPolicy.New });
  return () => update({ max_bytes: -1, discard: DiscardPolicy.Old });
}
