import { natsPermissions } from '@agentlattice/contracts';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { writePrivateFile } from '../private-file.js';
import type { ChildSpec } from '../process/supervised-process.js';
import type { Secrets } from '../secrets.js';
import { findNatsServer } from './nats-binary.js';
import { jetStreamAnswers } from './nats-client.js';
import { renderNatsConfig } from './nats-config.js';

/** The bundled NATS server: how to run it, and the URL of each of its users. */
export interface EmbeddedNats {
  readonly spec: ChildSpec;
  readonly storeDir: string;
  /** The URL of a service's user, or of `admin`. */
  readonly url: (user: string) => string;
}

/**
 * Prepares NATS with JetStream in `<dataDir>/nats`.
 * @throws StartRefused when no server program can be found or fetched
 */
export async function embeddedNats(
  dataDir: string,
  port: number,
  secrets: Secrets,
  print: (line: string) => void,
): Promise<EmbeddedNats> {
  const program = await findNatsServer(dataDir, print);
  const storeDir = join(dataDir, 'nats');
  const configFile = join(dataDir, 'nats.conf');
  const password = (user: string) => secrets.of(`nats.${user}`);
  const config = renderNatsConfig({ port, storeDir, permissions: natsPermissions, password });
  await secrets.save();
  await mkdir(storeDir, { recursive: true, mode: 0o700 });
  await writePrivateFile(configFile, config);
  const url = (user: string) => `nats://${user}:${password(user)}@127.0.0.1:${String(port)}`;
  return {
    url,
    storeDir,
    spec: {
      name: 'nats',
      command: program,
      args: ['--config', configFile],
      cwd: dataDir,
      env: () => ({ PATH: process.env['PATH'] ?? '/usr/bin:/bin', TZ: 'UTC' }),
      stopSignal: 'SIGTERM',
      backend: true,
      isReady: () => jetStreamAnswers(url('admin')),
      present: (line) => (/\[(ERR|FTL)\]/.test(line) ? line : undefined),
    },
  };
}
