// Compiles TypeScript projects with swc, and puts services and `al` into few files (bundle.mjs); the dashboard is built by
// Vite (build-dashboard.mjs): `node tools/build.mjs [project-root …]` (default: every project).
// Types are judged by `npm run typecheck`; this only emits, so a start costs a second rather than ten.
// A project whose sources did not change since its last build is left alone.
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { buildDashboard, dashboard } from './build-dashboard.mjs';
import { bundleProject } from './bundle.mjs';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');

/** The options every project is compiled with; jest uses the same ones (see jest.config.mjs). */
export const swcOptions = {
  jsc: {
    target: 'es2023',
    parser: { syntax: 'typescript', decorators: true },
    transform: { legacyDecorator: true, decoratorMetadata: true },
    keepClassNames: true,
  },
  module: { type: 'es6' },
};

/** Every folder below apps, libs and tools that holds a `src`. */
export async function allProjects() {
  const found = ['tools/launcher'];
  for (const parent of ['apps', 'libs'])
    for (const name of await readdir(join(root, parent)))
      if (existsSync(join(root, parent, name, 'src'))) found.push(`${parent}/${name}`);
  return found;
}

async function sourcesOf(project) {
  const entries = await readdir(join(root, project, 'src'), { recursive: true, withFileTypes: true });
  return entries
    .filter(
      (e) =>
        e.isFile() && e.name.endsWith('.ts') && !e.name.endsWith('.d.ts') && !e.name.endsWith('.spec.ts'),
    )
    .map((e) => join(e.parentPath, e.name))
    .sort();
}

/** Builds one project; returns true when something was compiled. */
export async function buildProject(project) {
  const files = await sourcesOf(project);
  const contents = await Promise.all(files.map((f) => readFile(f, 'utf8')));
  const hash = createHash('sha256').update(JSON.stringify(swcOptions));
  files.forEach((f, i) => hash.update(`\0${relative(root, f)}\0${contents[i]}`));
  const stamp = hash.digest('hex');
  const stampFile = join(root, project, 'dist', '.stamp');
  if (existsSync(stampFile) && (await readFile(stampFile, 'utf8')) === stamp) return false;
  const { transform } = await import('@swc/core');
  await rm(join(root, project, 'dist'), { recursive: true, force: true });
  await Promise.all(
    files.map(async (file, i) => {
      const out = join(root, project, 'dist', relative(join(root, project, 'src'), file)).replace(
        /\.ts$/,
        '.js',
      );
      const { code, map } = await transform(contents[i], {
        ...swcOptions,
        filename: file,
        swcrc: false,
        sourceMaps: true,
        sourceFileName: relative(dirname(out), file),
      });
      await mkdir(dirname(out), { recursive: true });
      await writeFile(out, `${code}\n//# sourceMappingURL=${out.split('/').pop()}.map\n`);
      await writeFile(`${out}.map`, map);
    }),
  );
  await mkdir(dirname(stampFile), { recursive: true });
  await writeFile(stampFile, stamp);
  return true;
}

/**
 * Builds all projects, or those named.
 * @param runtime the Node that builds the dashboard
 */
export async function build(projects, runtime = process.execPath) {
  const list = projects?.length ? projects : await allProjects();
  const pages = list.includes(dashboard) ? buildDashboard(runtime) : Promise.resolve(false);
  const compiled = list.filter((project) => project !== dashboard);
  const [built, hasNewPages] = await Promise.all([Promise.all(compiled.map(buildProject)), pages]);
  const bundles = ['libs/cli', 'tools/launcher'];
  const programs = compiled.filter((project) => project.startsWith('apps/') || bundles.includes(project));
  const bundled = await Promise.all(programs.map(bundleProject));
  const changed = compiled.filter((project, i) => built[i] || bundled[programs.indexOf(project)]);
  return hasNewPages ? [...changed, dashboard] : changed;
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const built = await build(process.argv.slice(2));
  console.log(built.length ? `built ${built.join(', ')}` : 'nothing to build');
}
