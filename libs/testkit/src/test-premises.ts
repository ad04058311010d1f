import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openPremises, type Premises } from '@agentlattice/launcher';

/** A throw-away data directory for one test file. */
export interface TestPremises extends Premises {
  /** What the house said, for a failing test to show. */
  readonly said: readonly string[];
  /** Stops every child and removes the directory. */
  remove(): Promise<void>;
}

/** Opens one below the directory that `npm test` clears at its end, else below the system's. */
export async function testPremises(): Promise<TestPremises> {
  const parent = process.env['AL_TEST_STACKS'] ?? tmpdir();
  await mkdir(parent, { recursive: true });
  const dataDir = await mkdtemp(join(parent, 'al-stack-'));
  const said: string[] = [];
  const premises = await openPremises({ dataDir, say: (line) => said.push(line), stopWithinMs: 10_000 });
  const remove = async () => {
    await premises.group.close();
    await rm(dataDir, { recursive: true, force: true, maxRetries: 5 });
  };
  return { ...premises, said, remove };
}
