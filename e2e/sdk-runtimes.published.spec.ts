import { InstalledPackages, nodeRuntime, type PublishedRuntime } from './kit/installed-packages.js';

const runtimes: readonly PublishedRuntime[] = [
  nodeRuntime('20'),
  nodeRuntime('22'),
  { packageName: 'deno', path: '.bin/deno', args: ['run', '--allow-all', 'program.mjs'], isNode: false },
  { packageName: 'bun', path: '.bin/bun', args: ['program.mjs'], isNode: false },
];

describe('the package of the TypeScript SDK', () => {
  let packages: InstalledPackages;
  beforeAll(async () => {
    packages = await InstalledPackages.start();
  }, 180_000);
  afterAll(() => packages.stop());

  it.each(runtimes)('runs on $packageName', (runtime) => packages.runsOn(runtime), 180_000);
});
