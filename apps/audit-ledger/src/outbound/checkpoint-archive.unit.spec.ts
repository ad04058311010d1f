import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileArchive } from './checkpoint-archive.js';

describe('the archive of checkpoints', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'archive-'));
  });
  afterEach(() => rm(folder, { recursive: true }));

  it('is empty where its folder does not exist yet', async () => {
    const archive = fileArchive(join(folder, 'checkpoints'));
    expect(await archive.newest()).toEqual(new Map());
    expect(await archive.notes('org_1')).toEqual([]);
  });

  it('is not taken for an empty one where it cannot be read', async () => {
    await writeFile(join(folder, 'checkpoints'), '');
    await expect(fileArchive(join(folder, 'checkpoints')).newest()).rejects.toThrow('ENOTDIR');
    await mkdir(join(folder, 'org_1.checkpoints'));
    await expect(fileArchive(folder).notes('org_1')).rejects.toThrow('EISDIR');
  });
});
