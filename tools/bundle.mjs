// Puts each service and `al` into few files, `<project>/dist/bundle`: a start that looks up a thousand modules one by one takes
// twice as long. What is compiled is the output of swc, since Nest needs the metadata of decorators.
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { createRequire, isBuiltin } from 'node:module';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { decode, encode } from '@jridgewell/sourcemap-codec';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');

/** Programs of a project, where it has them, and the migrations, for the image of the migration job. */
const programs = ['main', 'first-start', 'migrations/index', 'migrate'];

/** They look for other files in ways that a bundler does not see, have to be loaded before all others, or only where telemetry is exported. */
const separate =
  /^(?:argon2|bullmq|jsonc-parser|pino|thread-stream|typeorm|reflect-metadata|@opentelemetry\/.*)$/;

/** Nest names packages that it uses only where they are installed. */
const optionalPackages = {
  name: 'optional-packages',
  setup(build) {
    const require = createRequire(join(root, 'package.json'));
    build.onResolve({ filter: /^[^./]/ }, ({ path, kind, importer }) => {
      if (path.startsWith('node:')) return undefined;
      if (separate.test(path)) return { path, external: true };
      if (kind !== 'dynamic-import' && kind !== 'require-call') return undefined;
      try {
        createRequire(importer).resolve(path);
        return undefined;
      } catch {
        return isThere(require, path) ? undefined : { path, external: true };
      }
    });
  },
};

function isThere(require, path) {
  const folder = packageOf(path);
  return require.resolve.paths(path)?.some((parent) => existsSync(join(parent, folder))) === true;
}

/**
 * Keeps what leads to our own sources in the map of a bundle, and says of all else that it has no source. Node reads a whole map when the
 * first error of its file is written, and with the positions of all packages that holds a service up for half a second.
 */
async function keepOwnSources(file) {
  const map = JSON.parse(await readFile(file, 'utf8'));
  const own = map.sources.map((source) => !source.includes('node_modules/'));
  let inOwn = false;
  const mappings = decode(map.mappings).map((line) =>
    line.flatMap((segment) => {
      const isOwn = segment.length > 1 && own[segment[1]] === true;
      const isFirstOfOthers = inOwn && !isOwn;
      inOwn = isOwn;
      return isOwn ? [segment] : isFirstOfOthers ? [[segment[0]]] : [];
    }),
  );
  await writeFile(file, JSON.stringify({ ...map, mappings: encode(mappings) }));
}

/** What packages of CommonJS expect to find. */
const banner = `import { createRequire as createRequireOfBundle } from 'node:module';
const require = createRequireOfBundle(import.meta.url);`;

async function stampOf(app) {
  const hash = createHash('sha256');
  const libs = (await readdir(join(root, 'libs'))).sort().map((name) => `libs/${name}`);
  for (const project of [app, ...libs]) {
    const stamp = join(root, project, 'dist', '.stamp');
    if (existsSync(stamp)) hash.update(`\0${project}\0${await readFile(stamp, 'utf8')}`);
  }
  for (const file of ['package-lock.json', 'tools/bundle.mjs']) hash.update(await readFile(join(root, file)));
  return hash.digest('hex');
}

/** Bundles one project; returns true when something was written. Its libraries and itself must have been built. */
export async function bundleProject(app) {
  const out = join(root, app, 'dist', 'bundle');
  const stampFile = join(out, '.stamp');
  const stamp = await stampOf(app);
  if (existsSync(stampFile) && (await readFile(stampFile, 'utf8')) === stamp) return false;
  const { build } = await import('esbuild');
  await rm(out, { recursive: true, force: true });
  const { metafile } = await build({
    metafile: true,
    entryPoints: programs.map((name) => join(root, app, 'dist', `${name}.js`)).filter(existsSync),
    outdir: out,
    outbase: join(root, app, 'dist'),
    bundle: true,
    splitting: true,
    format: 'esm',
    // The SDK's own package is made for those who install it (package-sdk.mjs), and not there when this runs.
    conditions: ['agentlattice-built'],
    platform: 'node',
    target: 'node22',
    keepNames: true,
    // `al` starts for each command: half the text is read in half the time.
    minify: app === 'libs/cli',
    sourcemap: 'linked',
    sourcesContent: false,
    banner: { js: banner },
    plugins: [optionalPackages],
    absWorkingDir: root,
    logLevel: 'error',
  });
  await mkdir(out, { recursive: true });
  await writeFile(join(out, 'contents.json'), `${JSON.stringify(contentsOf(metafile, out), null, 2)}\n`);
  for (const name of await readdir(out)) if (name.endsWith('.map')) await keepOwnSources(join(out, name));
  await writeFile(stampFile, stamp);
  return true;
}

/** For each program: its files below `out`, and the packages that it loads from node_modules (tools/image-root.mjs copies both). */
function contentsOf({ outputs }, out) {
  const nameOf = (path) => relative(out, join(root, path));
  const contents = {};
  for (const [entry, { entryPoint }] of Object.entries(outputs)) {
    if (entryPoint === undefined || !programs.includes(nameOf(entry).replace(/\.js$/, ''))) continue;
    const files = new Set();
    const packages = new Set();
    const visit = (path) => {
      if (files.has(path)) return;
      files.add(path);
      for (const { path: imported, external } of outputs[path].imports) {
        if (!external) visit(imported);
        else if (!isBuiltin(imported)) packages.add(packageOf(imported));
      }
    };
    visit(entry);
    contents[nameOf(entry)] = { files: [...files].map(nameOf).sort(), packages: [...packages].sort() };
  }
  return contents;
}

/** `@scope/name` or `name` of an import of a package. */
export const packageOf = (path) => path.split('/', path.startsWith('@') ? 2 : 1).join('/');
