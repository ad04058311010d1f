// A checkout of this repository as something to measure: this one, or one of before beside it.
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

const here = resolve(new URL('../..', import.meta.url).pathname);

/** Each service of the product; what is not here at the time of a run is not started. */
export const services = ['gateway', 'policy-engine', 'audit-ledger', 'approval-service', 'notifier'];

/** This checkout, and the other one where `--against` names it. */
export function checkouts(against) {
  const ours = checkout(here, 'agentlattice');
  // Given from where the command was typed; npm changes the directory.
  return against === undefined
    ? [ours]
    : [ours, checkout(resolve(process.env.INIT_CWD ?? process.cwd(), against), 'before')];
}

function checkout(root, name) {
  // Dependencies and build, as `npm start` would make them; npm's own variables belong to another package.
  const env = Object.fromEntries(Object.entries(process.env).filter(([key]) => !key.startsWith('npm_')));
  const made = spawnSync(process.execPath, ['tools/bootstrap.mjs', 'install'], {
    cwd: root,
    env,
    stdio: ['ignore', 2, 2],
  });
  if (made.status !== 0) throw new Error(`${root} cannot be built`);
  const git = (...args) => spawnSync('git', ['-C', root, ...args], { encoding: 'utf8' }).stdout.trim();
  const changed = git('status', '--porcelain', '--untracked-files=no') !== '';
  return {
    root,
    name,
    version: `${git('rev-parse', '--short', 'HEAD')}${changed ? ' with changes' : ''}`,
    /** A package that the checkout depends on. */
    require: createRequire(join(root, 'package.json')),
    /** A library of the checkout, as it was built. */
    library: (library) => import(pathToFileURL(join(root, 'libs', library, 'dist', 'index.js')).href),
  };
}
