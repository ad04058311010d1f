import { mkdir, readdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout } from 'node:timers/promises';

const lookAgainMs = 250;
const [complete, failed] = ['complete', 'failed'];

/**
 * Where the test files of one run of `npm test` keep what they share; it is removed when the run ends.
 * @param stacks the directory of this run's stacks
 */
export const sharedByRun = (stacks: string, name: string): string => join(dirname(stacks), 'prepared', name);

/**
 * Lets the first process that asks make something, while the others wait until it is made.
 * @param folder made here; what is made may lie in it
 * @returns undefined once it is made, else why another process did not make it
 * @throws what `make` throws, in the process that made it
 */
export async function madeOnce(
  folder: string,
  make: (folder: string) => Promise<unknown>,
  { within }: { readonly within: number },
): Promise<string | undefined> {
  await mkdir(dirname(folder), { recursive: true });
  try {
    await mkdir(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    return othersResult(folder, within);
  }
  try {
    await make(folder);
  } catch (error) {
    const draft = join(folder, `${failed}.draft`);
    await writeFile(draft, error instanceof Error ? error.message : String(error));
    await rename(draft, join(folder, failed));
    throw error;
  }
  await writeFile(join(folder, complete), '');
  return undefined;
}

async function othersResult(folder: string, within: number): Promise<string | undefined> {
  const deadline = Date.now() + within;
  for (;;) {
    const left = await readdir(folder).catch(() => undefined);
    if (left === undefined) return 'the run of the tests has ended';
    if (left.includes(complete)) return undefined;
    if (left.includes(failed)) return readFile(join(folder, failed), 'utf8');
    if (Date.now() > deadline) return `it was not made within ${String(within / 1_000)} s`;
    await setTimeout(lookAgainMs);
  }
}
