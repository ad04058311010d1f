import { chmod, mkdir, mkdtemp, readFile, readlink, rm, symlink, writeFile } from 'node:fs/promises';
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

it('a link stays a link, also where its file is not there yet', async () => {
  const target = join(home, 'dotfiles/claude.json');
  await symlink('../dotfiles/claude.json', settings);
  await installed();
  expect(await readlink(settings)).toBe('../dotfiles/claude.json');
  expect(await readFile(target, 'utf8')).toContain('PreToolUse');
  await uninstalled();
  expect(await readlink(settings)).toBe('../dotfiles/claude.json');
  expect(await readFile(target, 'utf8')).toBe('{}\n');
});

it('settings that hold nothing else hold nothing afterwards', async () => {
  await installed();
  expect(await hookStatus('claude-code', 'user', hostProgram, around)).toMatchObject({
    ...{ installed: true, faults: [] },
  });
  await uninstalled();
  expect(await readFile(settings, 'utf8')).toBe('{}\n');
});

/** A program that answers as Codex does, and trusts every hook that it reads. */
const trustingCodex = `#!${process.execPath}
const { readFileSync } = require('node:fs');
const [asked] = process.argv.slice(2);
if (asked === '--version') console.log('codex 0.171.0');
if (asked === 'features') console.log('unified_exec_tty  stable  false');
if (asked === 'app-server')
  require('node:readline').createInterface({ input: process.stdin }).on('line', (line) => {
    const { id } = JSON.parse(line);
    const [, command] = /^command = (.*)$/m.exec(readFileSync(process.env.HOME + '/.codex/config.toml', 'utf8'));
    const hook = { key: 'k', currentHash: 'h', trustStatus: 'trusted', enabled: true, eventName: 'preToolUse' };
    const data = [{ hooks: [{ ...hook, command: JSON.parse(command) }] }];
    if (id !== undefined) console.log(JSON.stringify({ id, result: { data } }));
  });
`;

it('a hook that Codex trusts, and that misses tools, does not count as one that holds', async () => {
  const { settings: config } = placesOf('codex', 'user', around);
  await writeFile(hostProgram, trustingCodex);
  await install(
    {
      ...({ host: 'codex', scope: 'user', acceptOlder: false, keyFile: undefined } as const),
      ...{ program: ['/node', '/al.mjs'], baseUrl: 'http://h', hostProgram },
    },
    around,
  );
  const faults = async () => (await hookStatus('codex', 'user', hostProgram, around)).faults;
  expect(await faults()).toEqual([]);
  const text = await readFile(config, 'utf8');
  await writeFile(config, text.replace('[[hooks.PreToolUse]]', '[[hooks.PreToolUse]]\nmatcher = "^Bash$"'));
  expect(await faults()).toEqual([expect.stringContaining('matcher')]);
});
