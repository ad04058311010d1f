import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { ProgramCache } from './program-cache.js';

describe('the cache of fetched programs', () => {
  const before = process.env['XDG_CACHE_HOME'];
  const script = new TextEncoder().encode('#!/bin/sh\necho started\n');
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'al-cache-'));
  });
  afterEach(async () => {
    if (before === undefined) delete process.env['XDG_CACHE_HOME'];
    else process.env['XDG_CACHE_HOME'] = before;
    await rm(folder, { recursive: true, force: true });
  });

  it('keeps a program of each release in the cache of the user, where it can be started', async () => {
    process.env['XDG_CACHE_HOME'] = folder;
    const cache = new ProgramCache('server', '1.2.3', join(folder, 'data'));
    const path = await cache.install(script);
    expect(path).toBe(join(folder, 'agentlattice', 'server-1.2.3', 'server'));
    expect(execFileSync(path, { encoding: 'utf8' })).toBe('started\n');
    await cache.install(script);
    expect(await readdir(dirname(path))).toEqual(['server']);
  });

  // A server starts in another folder, where a relative path leads elsewhere; and XDG says that such values count as not set.
  it.each(['', 'caches'])('takes no cache of the user that is named by “%s”', (named) => {
    process.env['XDG_CACHE_HOME'] = named;
    const [preferred] = new ProgramCache('server', '1.2.3', join(folder, 'data')).paths;
    expect(preferred).toBe(join(homedir(), '.cache', 'agentlattice', 'server-1.2.3', 'server'));
  });

  it('leaves nothing behind where it could not be put', async () => {
    process.env['XDG_CACHE_HOME'] = folder;
    const cache = new ProgramCache('server', '1.2.3', join(folder, 'data'));
    const [preferred = ''] = cache.paths;
    await mkdir(preferred, { recursive: true });
    expect(await cache.install(script)).toBe(cache.paths[1]);
    expect(await readdir(dirname(preferred))).toEqual(['server']);
  });

  it('keeps it in the data directory when the cache of the user cannot be written to', async () => {
    const file = join(folder, 'no-folder');
    await writeFile(file, '');
    process.env['XDG_CACHE_HOME'] = file;
    const cache = new ProgramCache('server', '1.2.3', join(folder, 'data'));
    expect(await cache.install(script)).toBe(join(folder, 'data', 'cache', 'server-1.2.3', 'server'));
  });
});
