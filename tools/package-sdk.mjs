// Makes the package that is published of libs/sdk, `libs/sdk/dist/package`: ES module, CommonJS and types, with what it uses
// put inside, so that it needs nothing but the platform.
import { execFileSync } from 'node:child_process';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = resolve(fileURLToPath(new URL('..', import.meta.url)));
const sdk = join(root, 'libs', 'sdk');
const out = join(sdk, 'dist', 'package');

await rm(out, { recursive: true, force: true });
await mkdir(out, { recursive: true });
const shared = {
  entryPoints: [join(sdk, 'src', 'index.ts')],
  bundle: true,
  minify: true,
  keepNames: true,
  platform: 'neutral',
  mainFields: ['module', 'main'],
  conditions: ['import'],
  target: 'es2022',
  legalComments: 'inline',
};
await build({ ...shared, format: 'esm', outfile: join(out, 'index.js') });
await build({ ...shared, format: 'cjs', outfile: join(out, 'index.cjs') });

const types = join(sdk, 'dist', 'types');
await rm(types, { recursive: true, force: true });
execFileSync(
  process.execPath,
  [
    join(root, 'node_modules', 'typescript', 'bin', 'tsc'),
    ...['-p', join(sdk, 'tsconfig.json'), '--noEmit', 'false', '--emitDeclarationOnly', '--declaration'],
    ...['--outDir', types, '--rootDir', join(sdk, 'src')],
  ],
  { stdio: 'inherit' },
);
for (const name of await readdir(types)) if (name.includes('.spec.')) await rm(join(types, name));
// CommonJS programs read the same types under the names that go with `.cjs`.
for (const name of await readdir(types)) {
  const text = await readFile(join(types, name), 'utf8');
  await writeFile(join(out, name), text);
  await writeFile(
    join(out, name.replace(/\.ts$/, '.cts')),
    text.replaceAll(/(from '\.\/[\w-]+)\.js'/g, "$1.cjs'"),
  );
}
await rm(types, { recursive: true, force: true });
