import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openDataDirectory, type DataDirectory } from '@agentlattice/launcher';

/** A throw-away data directory for one test file. */
export interface TestDataDirectory extends DataDirectory {
  /** What the system said, for a failing test to show. */
  readonly said: readonly string[];
  /** Stops every child and removes the directory. */
  remove(): Promise<void>;
}

/** Opens one below the directory that `npm test` clears at its end, else below the system's. */
export async function testDataDirectory(): Promise<TestDataDirectory> {
  const parent = process.env['AL_TEST_STACKS'] ?? tmpdir();
  await mkdir(parent, { recursive: true });
  const dataDir = await mkdtemp(join(parent, 'al-stack-'));
  const said: string[] = [];
  const directory = await openDataDirectory({
    dataDir,
    say: (line) => said.push(line),
    stopWithinMs: 10_000,
  });
  const remove = async () => {
    await directory.group.close();
    await rm(dataDir, { recursive: true, force: true, maxRetries: 5 });
  };
  return { ...directory, said, remove };
}
