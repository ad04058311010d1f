import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { ServiceName } from '@agentlattice/contracts';
import { ownNats } from '@agentlattice/launcher';
import { testDataDirectory } from './test-data-directory.js';

export interface TestNats {
  /** The URL of a service's user, with that service's permissions, or of `admin`. */
  natsUrl(user: ServiceName | 'admin'): string;
  /** Kills the server's process; its supervision restarts it. */
  kill(signal?: NodeJS.Signals): void;
  /** Removes all JetStream data and restarts the server, as after the loss of its disk. */
  wipe(): Promise<void>;
  stop(): Promise<void>;
}

/** A NATS server of its own with JetStream, the users of all services and their permissions. */
export async function startNats(): Promise<TestNats> {
  const directory = await testDataDirectory();
  try {
    const { url } = await ownNats(directory);
    return {
      natsUrl: url,
      kill: (signal = 'SIGKILL') => void directory.group.get('nats')?.kill(signal),
      wipe: () => wipeNats(directory),
      stop: directory.remove,
    };
  } catch (error) {
    await directory.remove();
    throw error;
  }
}

/** Stops NATS, empties its store, starts it again on the same port. */
export async function wipeNats({
  group,
  dataDir,
}: Pick<Awaited<ReturnType<typeof testDataDirectory>>, 'group' | 'dataDir'>): Promise<void> {
  const server = group.get('nats');
  if (server === undefined) throw new Error('this stack has no NATS of its own');
  await server.stop();
  await rm(join(dataDir, 'nats'), { recursive: true, force: true });
  server.start();
  await server.ready(30_000);
}
