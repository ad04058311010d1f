// A release of this repository as it would be deployed: its own build, of this checkout or of an older commit.
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

export const here = resolve(import.meta.dirname, '..', '..');

const git = (...args) => execFileSync('git', ['-C', here, ...args], { encoding: 'utf8' }).trim();

/** This checkout, which tools/bootstrap.mjs has built. */
export const presentRelease = () => releaseIn(here, `${git('rev-parse', '--short', 'HEAD')} (this checkout)`);

/** A commit, built in a folder of its own. @param folder does not exist yet */
export async function releaseOf(ref, folder) {
  const commit = git('rev-parse', '--verify', '--short', `${ref}^{commit}`);
  await mkdir(folder);
  const unpack = 'set -o pipefail; git -C "$1" archive "$2" | tar -x -C "$3"';
  execFileSync('bash', ['-c', unpack, '-', here, commit, folder], { stdio: ['ignore', 'ignore', 2] });
  const lock = (root) => readFile(join(root, 'package-lock.json'), 'utf8');
  const isSame = (await lock(here)) === (await lock(folder));
  // With the same lock file the packages are the same. They are not linked as one folder: the projects of this
  // repository are packages too, by links that are relative to where they are.
  if (isSame) execFileSync('cp', ['-al', join(here, 'node_modules'), join(folder, 'node_modules')]);
  const build = isSame ? ['tools/build.mjs'] : ['tools/bootstrap.mjs', 'install'];
  const built = spawnSync(process.execPath, build, { cwd: folder, stdio: ['ignore', 2, 2] });
  if (built.status !== 0) throw new Error(`${commit} cannot be built`);
  return releaseIn(folder, commit);
}

function releaseIn(root, name) {
  const module = (...path) => {
    const file = join(root, ...path);
    if (!existsSync(file)) throw new Error(`${name} has no ${path.join('/')}; name a newer commit`);
    return import(pathToFileURL(file).href);
  };
  return {
    root,
    name,
    library: (library) => module('libs', library, 'dist', 'index.js'),
    /** A module of the launcher, such as `nats/embedded-nats.js`. */
    launcher: (path = 'index.js') => module('tools', 'launcher', 'dist', path),
    /** Whether a source file has the text: how a fault of earlier commits is known to be mended. */
    contains: (path, text) =>
      readFile(join(root, path), 'utf8').then(
        (content) => content.includes(text),
        () => false,
      ),
    migrateProgram: join(root, 'tools', 'launcher', 'dist', 'migrate.js'),
  };
}
