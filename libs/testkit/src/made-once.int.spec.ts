import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { madeOnce } from './made-once.js';

describe('what test files share', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'al-once-'));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  const within = 30_000;

  it('is made by one of them, and the others wait until it is made', async () => {
    let [begun, made] = [0, 0];
    const make = async () => {
      begun += 1;
      await new Promise(setImmediate);
      made += 1;
    };
    const results = await Promise.all(
      Array.from({ length: 3 }, async () => {
        const failed = await madeOnce(join(folder, 'once'), make, { within });
        return { failed, made };
      }),
    );
    expect(results).toEqual(Array(3).fill({ failed: undefined, made: 1 }));
    expect(begun).toBe(1);
  });

  it('fails for all of them with the same text when it cannot be made', async () => {
    const make = () => Promise.reject(new Error('no space left'));
    const all = Array.from({ length: 2 }, () => madeOnce(join(folder, 'never'), make, { within }));
    expect(await Promise.allSettled(all)).toEqual(
      expect.arrayContaining([
        { status: 'rejected', reason: new Error('no space left') },
        { status: 'fulfilled', value: 'no space left' },
      ]),
    );
  });

  it('is not waited for without end', async () => {
    await mkdir(join(folder, 'begun'));
    expect(await madeOnce(join(folder, 'begun'), () => Promise.resolve(), { within: 0 })).toBe(
      'it was not made within 0 s',
    );
  });

  it('is no longer waited for once the run has ended', async () => {
    // A file in place of the folder: it is there at first, and later no folder is found.
    await writeFile(join(folder, 'ended'), '');
    expect(await madeOnce(join(folder, 'ended'), () => Promise.resolve(), { within })).toBe(
      'the run of the tests has ended',
    );
  });
});
