import { chmod, mkdir } from 'node:fs/promises';
import { errorText } from './error-text.js';
import { rememberedPort } from './process/free-port.js';
import { reapLeftovers } from './process/pid-file.js';
import { ProcessGroup } from './process/process-group.js';
import type { ChildSpec, SupervisionOptions } from './process/supervised-process.js';
import { openSecrets, type Secrets } from './secrets.js';
import { StartRefused } from './start-refused.js';

/** A data directory opened by one launcher, with its secrets and the child processes that use it. */
export interface DataDirectory {
  readonly dataDir: string;
  readonly secrets: Secrets;
  readonly group: ProcessGroup;
  readonly print: (line: string) => void;
}

const serverReadyWithinMs = 60_000;

/**
 * Opens a data directory: makes it when it is missing and stops processes that a killed launcher left running.
 * @throws StartRefused when it cannot be written to, or its secrets are damaged
 */
export async function openDataDirectory(options: SupervisionOptions): Promise<DataDirectory> {
  const { dataDir, print } = options;
  try {
    await mkdir(dataDir, { recursive: true });
    // Other users may enter it (PostgreSQL may have to run as another user), but not list it.
    await chmod(dataDir, 0o711);
  } catch (error) {
    throw new StartRefused(
      `The data directory ${dataDir} cannot be used (${errorText(error)}); set AL_DATA_DIR to one that can.`,
    );
  }
  const left = await reapLeftovers(dataDir);
  if (left.length > 0) print(`stopped processes that an earlier start left running: ${left.join(', ')}`);
  return { dataDir, print, secrets: await openSecrets(dataDir), group: new ProcessGroup(options) };
}

/**
 * Starts a bundled server on the port of its last run, or another one when that is taken.
 * @returns the result of `prepare`, once the server is ready
 * @throws StartRefused when it does not become ready
 */
export async function startServer<T extends { readonly spec: ChildSpec }>(
  directory: DataDirectory,
  name: string,
  prepare: (port: number) => Promise<T>,
): Promise<T> {
  const server = await prepare(await rememberedPort(directory.dataDir, name));
  await directory.group.supervise(server.spec).ready(serverReadyWithinMs);
  return server;
}
