import { chmod, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CannotInstall, hookStatus, install, uninstall } from './install.js';
import { placesOf, type Surroundings } from './places.js';

let home: string;
let settings: string;
let hostProgram: string;
let around: Surroundings;
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'al-install-'));
  around = { env: { HOME: home }, folder: home };
  ({ settings } = placesOf('claude-code', 'user', around));
  await mkdir(join(settings, '..'));
  hostProgram = join(home, 'claude');
  await writeFile(hostProgram, '#!/bin/sh\necho 2.1.332\n');
  await chmod(hostProgram, 0o755);
});
afterEach(() => rm(home, { recursive: true }));

const installed = () =>
  install(
    {
      ...({ host: 'claude-code', scope: 'user', acceptOlder: false, keyFile: undefined } as const),
      ...{ program: ['/node', '/al.mjs'], baseUrl: 'http://h', hostProgram },
    },
    around,
  );
const uninstalled = () => uninstall('claude-code', 'user', around);

it('settings that are not UTF-8 are left as they are', async () => {
  const text = Buffer.from('{"caf\u00e9":1}', 'latin1');
  await writeFile(settings, text);
  for (const change of [installed, uninstalled]) {
    await expect(change()).rejects.toThrow(
      new CannotInstall(`${settings} was left as it is: it is not UTF-8`),
    );
    expect(await readFile(settings)).toEqual(text);
  }
});

it('settings that cannot be read are named', async () => {
  await symlink(settings, settings);
  for (const change of [installed, uninstalled]) {
    await expect(change()).rejects.toBeInstanceOf(CannotInstall);
    await expect(change()).rejects.toThrow('ELOOP');
  }
  const { installed: is, faults } = await hookStatus('claude-code', 'user', hostProgram, around);
  expect([is, faults]).toEqual([false, [expect.stringContaining('ELOOP')]]);
});

it('settings that hold nothing else hold nothing afterwards', async () => {
  await installed();
  expect(await hookStatus('claude-code', 'user', hostProgram, around)).toMatchObject({
    ...{ installed: true, faults: [] },
  });
  await uninstalled();
  expect(await readFile(settings, 'utf8')).toBe('{}\n');
});
