// Makes the package that is published of libs/adapters, `libs/adapters/dist/package`: ES modules and types. It imports the
// package of the SDK, which `tools/package-sdk.mjs` makes first.
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = resolve(fileURLToPath(new URL('..', import.meta.url)));
const adapters = join(root, 'libs', 'adapters');
const out = join(adapters, 'dist', 'package');

if (!existsSync(join(root, 'libs', 'sdk', 'dist', 'package', 'index.d.ts')))
  throw new Error('the package of the SDK is not there; run tools/package-sdk.mjs first');
await rm(out, { recursive: true, force: true });
execFileSync(
  process.execPath,
  [
    join(root, 'node_modules', 'typescript', 'bin', 'tsc'),
    ...['-p', join(adapters, 'tsconfig.package.json'), '--outDir', out],
  ],
  { stdio: 'inherit' },
);
