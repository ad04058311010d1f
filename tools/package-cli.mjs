// Makes the package that is published of libs/cli, `libs/cli/dist/package`: one program in a few files with all libraries put inside,
// so that an installation needs nothing but Node.
import { cp, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = resolve(fileURLToPath(new URL('..', import.meta.url)));
const cli = join(root, 'libs', 'cli');
const out = join(cli, 'dist', 'package');

await rm(out, { recursive: true, force: true });
await mkdir(join(out, 'bin'), { recursive: true });
await build({
  entryPoints: [join(cli, 'src', 'main.ts')],
  outdir: join(out, 'dist', 'bundle'),
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node20',
  minify: true,
  keepNames: true,
  legalComments: 'linked',
  conditions: ['agentlattice-source'],
  // UMD builds look up their parts in a way that cannot be followed.
  mainFields: ['module', 'main'],
  // pg names it and uses it only where it is installed.
  external: ['pg-native'],
  banner: {
    js: `import { createRequire as createRequireOfBundle } from 'node:module';
const require = createRequireOfBundle(import.meta.url);`,
  },
  absWorkingDir: root,
  logLevel: 'error',
});
await cp(join(cli, 'bin', 'al.mjs'), join(out, 'bin', 'al.mjs'));
await cp(join(root, 'LICENSE'), join(out, 'LICENSE'));
await cp(join(cli, 'README.md'), join(out, 'README.md'));
const { name, version, license, type, bin, description, keywords, engines } = JSON.parse(
  await readFile(join(cli, 'package.json'), 'utf8'),
);
const published = {
  ...{ name, version, description, license, type, engines, bin, keywords },
  // The program finds its version by this door.
  exports: { './package.json': './package.json' },
  files: ['bin', 'dist'],
};
await writeFile(join(out, 'package.json'), `${JSON.stringify(published, null, 2)}\n`);
