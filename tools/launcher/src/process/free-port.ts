import { randomInt } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';

// Below the range that Linux and macOS use for outgoing connections, so that the port of a killed server stays free.
const lowest = 15_000;
const highest = 32_000;

/** Whether a server could listen there now. */
export function isPortFree(port: number, host = '127.0.0.1'): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => resolve(false));
    probe.listen({ port, host, exclusive: true }, () => probe.close(() => resolve(true)));
  });
}

/** A random port of 127.0.0.1 on which nothing listens. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(lowest, highest);
    if (await isPortFree(port)) return port;
  }
}

/** The first port from `from` upwards that is free; undefined when a hundred in a row are taken. */
export async function nextFreePort(from: number, host: string): Promise<number | undefined> {
  for (let port = from; port < from + 100 && port <= 65_535; port++)
    if (await isPortFree(port, host)) return port;
  return undefined;
}

/** A free port for a server that keeps it over restarts of the system, so that printed URLs stay true. */
export async function rememberedPort(dataDir: string, name: string): Promise<number> {
  const path = join(dataDir, 'ports', name);
  const standing = Number(await readFile(path, 'utf8').catch(() => '0'));
  if (Number.isInteger(standing) && standing > 0 && (await isPortFree(standing))) return standing;
  const port = await freePort();
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, `${String(port)}\n`);
  return port;
}
