// Builds the pages of the dashboard with Vite, and compresses them once, so that the gateway does not compress for each request.
// A dashboard whose sources did not change since its last build is left alone.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');
export const dashboard = 'apps/dashboard';
const site = join(root, dashboard, 'dist', 'site');
const unfinished = join(root, dashboard, 'dist', 'unfinished');

/** Fonts and pictures are compressed already. */
const compressible = /\.(?:js|css|svg|html|json)$/;
/** The gateway writes the theme into this file, so it is sent as it is. */
const page = 'index.html';

async function filesBelow(folder) {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}

async function stampOf() {
  const hash = createHash('sha256');
  const own = ['index.html', 'vite.config.ts', 'tsconfig.json'].map((name) => join(root, dashboard, name));
  const sources = (await filesBelow(join(root, dashboard, 'src'))).filter(
    (file) => !file.endsWith('.spec.ts'),
  );
  for (const file of [
    ...own,
    ...sources,
    join(root, 'package-lock.json'),
    join(root, 'tools/build-dashboard.mjs'),
  ])
    hash.update(`\0${relative(root, file)}\0`).update(await readFile(file));
  return hash.digest('hex');
}

/** Vite runs in a process of its own: by the Node that runs the system, which may be newer than the one that called us. */
function vite(runtime) {
  return new Promise((done, failed) => {
    const child = spawn(
      runtime,
      [
        join(root, 'node_modules/vite/bin/vite.js'),
        ...['build', '--outDir', unfinished, '--logLevel', 'warn', join(root, dashboard)],
      ],
      { cwd: join(root, dashboard), stdio: ['ignore', 2, 2] },
    );
    child.once('error', failed);
    child.once('close', (code) =>
      code === 0
        ? done()
        : failed(new Error('The dashboard could not be built; what Vite said stands above.')),
    );
  });
}

async function compress(file) {
  const content = await readFile(file);
  const quality = { params: { [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY } };
  await Promise.all([
    promisify(brotliCompress)(content, quality).then((small) => writeFile(`${file}.br`, small)),
    promisify(gzip)(content, { level: 9 }).then((small) => writeFile(`${file}.gz`, small)),
  ]);
}

/** Returns true when something was built. A build that fails leaves the pages of the last one. */
export async function buildDashboard(runtime = process.execPath) {
  const stampFile = join(site, '.stamp');
  const stamp = await stampOf();
  if (existsSync(stampFile) && (await readFile(stampFile, 'utf8')) === stamp) return false;
  await rm(unfinished, { recursive: true, force: true });
  await vite(runtime);
  const files = (await filesBelow(unfinished)).filter(
    (file) => compressible.test(file) && relative(unfinished, file) !== page,
  );
  await Promise.all(files.map(compress));
  await writeFile(join(unfinished, '.stamp'), stamp);
  await rm(site, { recursive: true, force: true });
  await rename(unfinished, site);
  return true;
}
