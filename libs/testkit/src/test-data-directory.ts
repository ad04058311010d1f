import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openDataDirectory, type DataDirectory } from '@agentlattice/launcher';
import { copyPreparedPostgres, type PreparedPostgres } from './prepared-postgres.js';

/** A throw-away data directory for one test file. */
export interface TestDataDirectory extends DataDirectory {
  /** The lines that the system printed, shown when a test fails. */
  readonly printed: readonly string[];
  /** Stops every child and removes the directory. */
  remove(): Promise<void>;
}

/**
 * Opens one below the directory that `npm test` clears at its end, else below the system's.
 * @param postgres what PostgreSQL holds at its first start, where the run has one prepared; default: nothing
 */
export async function testDataDirectory(postgres?: PreparedPostgres): Promise<TestDataDirectory> {
  const stacks = process.env['AL_TEST_STACKS'];
  const parent = stacks ?? tmpdir();
  await mkdir(parent, { recursive: true });
  const dataDir = await mkdtemp(join(parent, 'al-stack-'));
  if (stacks !== undefined && postgres !== undefined) await copyPreparedPostgres(postgres, stacks, dataDir);
  const printed: string[] = [];
  const directory = await openDataDirectory({
    dataDir,
    print: (line) => printed.push(line),
    stopWithinMs: 10_000,
  });
  const remove = async () => {
    await directory.group.discard();
    await rm(dataDir, { recursive: true, force: true, maxRetries: 5 });
  };
  return { ...directory, printed, remove };
}
