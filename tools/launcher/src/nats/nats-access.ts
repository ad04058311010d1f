import type { ServiceName } from '@agentlattice/contracts';
import type { ExternalServer } from '../configuration.js';
import { errorText } from '../error-text.js';
import { type DataDirectory, startServer } from '../data-directory.js';
import { StartRefused } from '../start-refused.js';
import { embeddedNats } from './embedded-nats.js';
import { withNats } from './nats-client.js';
import { isRecentEnough, oldestNats } from './nats-release.js';
import { type StoreWatchOptions, watchStore } from './store-watch.js';

export interface NatsAccess {
  /** The URL of a service's user, or of the administrator's. */
  readonly url: (user: ServiceName | 'admin') => string;
}

/** A faulty server may not stop when it is asked to. */
const stopWithinMs = 5_000;

/** Starts NATS with JetStream in the data directory, and restarts it when it answers but does not store. */
export async function ownNats(
  directory: DataDirectory,
  watch: Pick<StoreWatchOptions, 'everyMs' | 'restartEveryMs'> = {},
): Promise<NatsAccess> {
  const { dataDir, secrets, print, group } = directory;
  const nats = await startServer(directory, 'nats', (port) => embeddedNats(dataDir, port, secrets, print));
  const restart = () => {
    const server = group.get('nats');
    const pid = server?.pid;
    server?.kill('SIGTERM');
    const force = () => server?.pid === pid && server?.kill('SIGKILL');
    setTimeout(force, stopWithinMs).unref();
  };
  const { closing: signal } = group;
  void watchStore({ ...watch, url: nats.url('admin'), storeDir: nats.storeDir, restart, print, signal });
  return nats;
}

/**
 * Uses the server of NATS_URL, with the URLs per service or with one credential for all: the users of a NATS server are in its
 * configuration, so they cannot be made from here.
 * @throws StartRefused when it cannot be used
 */
export async function externalNats(
  { url, services }: ExternalServer,
  { print }: DataDirectory,
): Promise<NatsAccess> {
  await reach('NATS_URL', url);
  for (const [service, own] of Object.entries(services)) await reach(`the URL of ${service}`, own);
  if (Object.keys(services).length === 0)
    print(
      'WARNING: all services share the credential of NATS_URL, so NATS no longer keeps one from speaking for another. Include deploy/nats/permissions.conf in the server and set NATS_URL_GATEWAY and so on.',
    );
  return { url: (user) => (user === 'admin' ? url : (services[user] ?? url)) };
}

async function reach(what: string, url: string | undefined): Promise<void> {
  if (url === undefined) return;
  try {
    await withNats(url, async (nc) => {
      const version = nc.info?.version ?? '';
      if (!isRecentEnough(version))
        throw new Error(`it is version ${version}, and ${oldestNats} is the oldest supported`);
      if (nc.info?.jetstream !== true) throw new Error('JetStream is off');
    });
  } catch (error) {
    throw new StartRefused(`The server of ${what} cannot be used: ${errorText(error)}.`);
  }
}
