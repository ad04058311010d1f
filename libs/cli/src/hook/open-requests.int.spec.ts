import { mkdtemp, readdir, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { OpenRequests } from './open-requests.js';

let folder: string;
beforeEach(async () => (folder = await mkdtemp(join(tmpdir(), 'al-open-'))));
afterEach(() => rm(folder, { recursive: true, force: true }));

const call = { a: 1, b: { c: 'x' } };

it('finds an open request again, whatever the order of the members, until it is closed', async () => {
  const requests = new OpenRequests(join(folder, 'new', 'er'));
  const first = await requests.find(call);
  expect(first).toMatchObject({ isNew: true, eventId: expect.stringMatching(/^hook-/) as string });
  expect(await requests.find({ b: { c: 'x' }, a: 1 })).toEqual({ ...first, isNew: false });
  expect((await requests.find({ ...call, a: 2 })).eventId).not.toBe(first.eventId);
  await requests.close(call, { eventId: 'another', isNew: true });
  expect(await requests.find(call)).toEqual({ ...first, isNew: false });
  await requests.close(call, first);
  expect((await requests.find(call)).eventId).not.toBe(first.eventId);
});

it('gives processes that begin at once one event id, which one of them began', async () => {
  const found = await Promise.all(Array.from({ length: 20 }, () => new OpenRequests(folder).find(call)));
  expect(new Set(found.map(({ eventId }) => eventId)).size).toBe(1);
  expect(found.filter(({ isNew }) => isNew)).toHaveLength(1);
});

it('is readable by its user alone, and forgets what is old', async () => {
  const requests = new OpenRequests(folder);
  await requests.find(call);
  const [name = ''] = await readdir(folder);
  expect((await stat(join(folder, name))).mode & 0o077).toBe(0);
  const long = new Date(Date.now() - 60 * 86_400_000);
  await utimes(join(folder, name), long, long);
  await requests.find({ other: true });
  expect(await readdir(folder)).not.toContain(name);
});

it('replaces a file that holds no event id', async () => {
  const requests = new OpenRequests(folder);
  await requests.find(call);
  const [name = ''] = await readdir(folder);
  await writeFile(join(folder, name), 'nonsense');
  expect(await requests.find(call)).toMatchObject({ isNew: true });
});

it('fails where nothing can be kept', async () => {
  await writeFile(join(folder, 'file'), '');
  await expect(new OpenRequests(join(folder, 'file')).find(call)).rejects.toThrow(/EEXIST|ENOTDIR/);
});
