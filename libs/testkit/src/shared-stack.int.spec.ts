import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { joinSharedStack } from './shared-stack.js';

describe('a system that test files share', () => {
  const before = process.env['AL_TEST_STACKS'];
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'al-shared-'));
    process.env['AL_TEST_STACKS'] = join(folder, 'stacks');
  });
  afterAll(async () => {
    if (before === undefined) delete process.env['AL_TEST_STACKS'];
    else process.env['AL_TEST_STACKS'] = before;
    await rm(folder, { recursive: true, force: true });
  });

  it('that does not start fails each of them with what it printed', async () => {
    const dataDir = join(folder, 'stacks', 'al-shared');
    await mkdir(dataDir, { recursive: true });
    await writeFile(join(dataDir, 'secrets.json'), 'damaged');
    // Another process seems to have failed to prepare PostgreSQL, so that this start does not wait for it.
    const prepared = join(folder, 'prepared', 'postgres-migrated');
    await mkdir(prepared, { recursive: true });
    await writeFile(join(prepared, 'failed'), 'none');
    const joined = await Promise.allSettled([joinSharedStack(), joinSharedStack()]);
    for (const one of joined)
      expect(one).toMatchObject({
        status: 'rejected',
        reason: { message: expect.stringMatching(/secrets\.json cannot be read/) as string },
      });
  });
});
