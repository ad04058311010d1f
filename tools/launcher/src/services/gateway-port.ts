import { isPortFree, nextFreePort } from '../process/free-port.js';
import { StartRefused } from '../start-refused.js';

/**
 * The gateway's port: the configured one, else 3000 or the next free one.
 * @throws StartRefused when the configured one is taken
 */
export async function gatewayPort(asked: number | undefined, host: string): Promise<number> {
  if (asked === undefined) {
    const port = await nextFreePort(3000, host);
    if (port !== undefined) return port;
    throw new StartRefused(`No port from 3000 to 3099 is free on ${host}; set PORT to one that is.`);
  }
  if (await isPortFree(asked, host)) return asked;
  throw new StartRefused(
    `Port ${String(asked)} on ${host} is taken or not allowed; set PORT to another one, or unset it to use the next free port.`,
  );
}
