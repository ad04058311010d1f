import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openDataDirectory, type DataDirectory } from '@agentlattice/launcher';

/** A throw-away data directory for one test file. */
export interface TestDataDirectory extends DataDirectory {
  /** The lines that the system printed, shown when a test fails. */
  readonly printed: readonly string[];
  /** Stops every child and removes the directory. */
  remove(): Promise<void>;
}

/** Opens one below the directory that `npm test` clears at its end, else below the system's. */
export async function testDataDirectory(): Promise<TestDataDirectory> {
  const parent = process.env['AL_TEST_STACKS'] ?? tmpdir();
  await mkdir(parent, { recursive: true });
  const dataDir = await mkdtemp(join(parent, 'al-stack-'));
  const printed: string[] = [];
  const directory = await openDataDirectory({
    dataDir,
    print: (line) => printed.push(line),
    stopWithinMs: 10_000,
  });
  const remove = async () => {
    await directory.group.close();
    await rm(dataDir, { recursive: true, force: true, maxRetries: 5 });
  };
  return { ...directory, printed, remove };
}
