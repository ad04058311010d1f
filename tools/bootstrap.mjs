// `node tools/bootstrap.mjs install|start|test|run <script.mjs> [args]`: what stands between a fresh clone and the real
// program. Plain JavaScript without dependencies, because it runs before there are any, on any Node from 20 on.
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { link, mkdir, open, readFile, readdir, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { delimiter, dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const modules = join(root, 'node_modules');
const stampFile = join(modules, '.agentlattice-stamp');
const lockFile = join(root, '.agentlattice', 'install.lock');
const lockIsStaleAfterMs = 30_000;

class Refused extends Error {}

const say = (text) => process.stderr.write(`${text}\n`);
const pause = (ms) => new Promise((done) => setTimeout(done, ms));

/** Shows that something goes on: a line at the begin, one every ten seconds, one at the end. */
async function step(what, work) {
  const begun = Date.now();
  const seconds = () => `${((Date.now() - begun) / 1000).toFixed(1)} s`;
  say(`${what} …`);
  const ticker = setInterval(() => say(`${what} … ${seconds()}`), 10_000);
  try {
    await work();
  } finally {
    clearInterval(ticker);
  }
  say(`${what}: done in ${seconds()}`);
}

/** Changes whenever an installation made before would no longer fit. */
async function wantedStamp() {
  const hash = createHash('sha256').update(`${process.platform}-${process.arch}`);
  const manifests = ['package.json', 'package-lock.json', 'tools/launcher/package.json'];
  for (const parent of ['apps', 'libs'])
    for (const name of (await readdir(join(root, parent)).catch(() => [])).sort())
      manifests.push(`${parent}/${name}/package.json`);
  for (const file of manifests) {
    const content = await readFile(join(root, file)).catch(() => undefined);
    if (content !== undefined) hash.update(`\0${file}\0`).update(content);
  }
  return hash.digest('hex');
}

const isInstalled = async () => (await readFile(stampFile, 'utf8').catch(() => '')) === (await wantedStamp());

/** npm as it was started, so that it is the same one; else the one on PATH. */
function npm(args) {
  const own = process.env.npm_execpath;
  const [command, first] = own?.endsWith('npm-cli.js') ? [process.execPath, [own]] : ['npm', []];
  return new Promise((done, failed) => {
    const child = spawn(command, [...first, ...args], { cwd: root, stdio: ['ignore', 2, 2] });
    child.once('error', (error) =>
      failed(new Refused(`npm could not be started (${error.message}); install Node with npm.`)),
    );
    child.once('close', (code) =>
      code === 0
        ? done()
        : failed(new Refused('npm install failed; its message stands above. Start again once it is solved.')),
    );
  });
}

async function installDependencies() {
  await rm(stampFile, { force: true });
  // Not `npm ci`: a lock file made on one platform need not list the optional packages of the others.
  await npm([
    ...['install', '--no-save', '--no-audit', '--no-fund', '--loglevel=error'],
    ...['--include=dev', '--include=optional'],
  ]);
  await writeFile(stampFile, await wantedStamp());
}

/** One bootstrap at a time installs and builds in a checkout; the lock of one that died goes stale. */
async function exclusively(work) {
  await mkdir(dirname(lockFile), { recursive: true });
  let told = false;
  for (;;) {
    const mine = await open(lockFile, 'wx').catch((error) => {
      if (error.code === 'EEXIST') return undefined;
      throw error;
    });
    if (mine !== undefined) {
      await mine.writeFile(String(process.pid));
      await mine.close();
      break;
    }
    const holder = await readFile(lockFile, 'utf8').catch(() => '');
    const touched = (await stat(lockFile).catch(() => undefined))?.mtimeMs ?? Date.now();
    const isDead = holder !== '' && !isAlive(Number(holder));
    if (isDead || Date.now() - touched > lockIsStaleAfterMs) await clearLock(holder);
    else if (!told) say('Another start installs or builds in this checkout; waiting for it.');
    told = true;
    await pause(200);
  }
  const beat = setInterval(() => utimes(lockFile, new Date(), new Date()).catch(() => undefined), 5_000);
  try {
    await work();
  } finally {
    clearInterval(beat);
    await rm(lockFile, { force: true });
  }
}

/** Removes the lock of that holder, and no lock that someone took since we looked. */
async function clearLock(holder) {
  const aside = `${lockFile}.${String(process.pid)}`;
  const moved = await rename(lockFile, aside).then(
    () => true,
    () => false,
  );
  if (!moved) return;
  if ((await readFile(aside, 'utf8')) !== holder) await link(aside, lockFile).catch(() => undefined);
  await rm(aside, { force: true });
}

function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}

/** The Node to run with: the one npm brought, else this one when it is new enough. */
function chooseRuntime() {
  const packaged = join(modules, `node-${process.platform}-${process.arch}`, 'bin', 'node');
  if (existsSync(packaged) && spawnSync(packaged, ['--version']).status === 0) return packaged;
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major > 22 || (major === 22 && minor >= 15)) return process.execPath;
  throw new Refused(
    `Node ${process.versions.node} is too old on ${process.platform}-${process.arch}, where npm brings no newer one; install Node 24 (22.15 at least) and start again.`,
  );
}

/** Runs the real program in our place: signals go in, the exit code comes out. */
function become(runtime, args) {
  const path = [dirname(runtime), join(modules, '.bin'), process.env.PATH ?? ''].join(delimiter);
  // The channel carries nothing: its end tells the program that this process is gone.
  const child = spawn(runtime, args, {
    cwd: root,
    env: {
      ...process.env,
      PATH: path,
      INIT_CWD: process.env.INIT_CWD ?? process.cwd(),
      // What V8 compiled is kept for the next start, also by all that is started from there.
      NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE ?? join(modules, '.cache', 'compiled'),
    },
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
  });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  watchNpm(() => child.kill('SIGTERM'));
  return new Promise((done, failed) => {
    child.once('error', failed);
    child.once('exit', (code, signal) =>
      done(code ?? (signal === 'SIGINT' ? 130 : signal === 'SIGTERM' ? 143 : 137)),
    );
  });
}

/** Some shells stand between npm and us and pass no signal on; then we only see that our parent is gone. */
function watchNpm(stop) {
  if (process.env.npm_lifecycle_event === undefined) return;
  const parent = process.ppid;
  const look = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(look);
    stop();
  }, 250);
  look.unref();
}

async function prepare() {
  const [major] = process.versions.node.split('.').map(Number);
  if (major < 20)
    throw new Refused(`Node ${process.versions.node} is too old; install Node 20 or later and start again.`);
  let runtime;
  await exclusively(async () => {
    if (!(await isInstalled()))
      await step('Installing dependencies (the first time takes a minute)', installDependencies);
    runtime = chooseRuntime();
    const { build } = await import('./build.mjs');
    const begun = Date.now();
    const built = await build(undefined, runtime);
    if (built.length > 0)
      say(`Built ${String(built.length)} projects in ${((Date.now() - begun) / 1000).toFixed(1)} s`);
  });
  return runtime;
}

async function main([command, ...args]) {
  const programs = {
    install: () => 0,
    start: (runtime) => become(runtime, ['--enable-source-maps', 'tools/launcher/dist/main.js', ...args]),
    test: (runtime) => become(runtime, ['tools/test.mjs', ...args]),
    run: (runtime) => become(runtime, args),
  };
  const program = Object.hasOwn(programs, command ?? '') ? programs[command] : undefined;
  if (program === undefined || (command === 'run' && args.length === 0))
    throw new Refused(
      'Usage: node tools/bootstrap.mjs install | start | test [jest arguments] | run <script.mjs> [arguments]',
    );
  return program(await prepare());
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  say(error instanceof Refused ? error.message : (error.stack ?? String(error)));
  process.exitCode = 1;
}
