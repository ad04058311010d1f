import { execFile } from 'node:child_process';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import { InstalledPackages, programs } from './kit/installed-packages.js';

const run = promisify(execFile);
const root = fileURLToPath(new URL('..', import.meta.url));
const packageFolder = join(root, 'libs/sdk/dist/package');

/** The packages work on this Node without other packages; sdk-runtimes.published.spec.ts has the other runtimes. */
describe('the packages of the TypeScript SDK and of al', () => {
  let packages: InstalledPackages;
  let folder: string;
  beforeAll(async () => {
    packages = await InstalledPackages.start();
    folder = packages.folder;
  }, 180_000);
  afterAll(() => packages.stop());

  it('installs nothing else', async () => {
    expect((await readdir(join(folder, 'node_modules/@agentlattice'))).sort()).toEqual(['cli', 'sdk']);
    const others = (await readdir(join(folder, 'node_modules'))).filter((name) => !name.startsWith('.'));
    expect(others).toEqual(['@agentlattice']);
  });

  it('is at most 12 KB compressed', async () => {
    const size = gzipSync(await readFile(join(packageFolder, 'index.js')), { level: 9 }).length;
    expect(size).toBeLessThanOrEqual(12 * 1024);
  });

  it.each(Object.keys(programs))('runs on this Node: %s', (name) =>
    packages.passes(process.execPath, [name]),
  );

  it('al runs on this Node', () => packages.runsAl(process.execPath));

  it('has types for ES modules and for CommonJS', async () => {
    const names = ['sample.mts', 'sample.cts'];
    for (const name of names)
      await writeFile(
        join(folder, name),
        `import { AgentLattice, type GateResult } from '@agentlattice/sdk';
export async function use(): Promise<void> {
  const al = new AgentLattice({ apiKey: 'k' });
  const cleared: GateResult = await al.gate('a.b', { metadata: { n: 1 }, timeoutMs: 5 });
  const n: number = await al.gate('a.b', async ({ grant }) => grant.length);
  // @ts-expect-error a misspelt option is found
  await al.gate('a.b', { metdata: {} });
  console.log(cleared.grant, n);
}
`,
      );
    await writeFile(
      join(folder, 'tsconfig.json'),
      JSON.stringify({
        compilerOptions: {
          ...{ strict: true, noEmit: true, module: 'nodenext', target: 'es2022', skipLibCheck: false },
          ...{ lib: ['es2022', 'dom', 'dom.asynciterable', 'esnext.disposable'], types: [] },
        },
        files: names,
      }),
    );
    const tsc = join(root, 'node_modules/typescript-native/bin/tsc');
    const { stdout } = await run(process.execPath, [tsc, '-p', folder], { cwd: folder }).catch(
      (error: unknown) => error as { stdout: string },
    );
    expect(stdout).toBe('');
  });

  it('is all that the package of the adapters needs, beside the framework of its user', async () => {
    const place = join(folder, 'adapters');
    await mkdir(place);
    await writeFile(join(place, 'package.json'), '{"name":"user","private":true,"type":"module"}');
    await packages.npm(
      'install',
      '--prefix',
      place,
      packages.sdk,
      await packages.packedBy('package-adapters.mjs', join(root, 'libs/adapters')),
    );
    expect((await readdir(join(place, 'node_modules'))).filter((name) => !name.startsWith('.'))).toEqual([
      '@agentlattice',
    ]);
    await writeFile(
      join(place, 'program.js'),
      `import { AgentLattice } from '@agentlattice/sdk';
import { ToolGate } from '@agentlattice/adapters';
import { gateTools } from '@agentlattice/adapters/ai-sdk';
import * as openai from '@agentlattice/adapters/openai-agents';
const al = new AgentLattice({ apiKey: 'k' });
const { tools, gate } = gateTools(al, { refund: { execute: () => 'ran' } });
console.log(gate instanceof ToolGate, Object.keys(tools), Object.keys(openai));
`,
    );
    const { stdout } = await run(process.execPath, ['program.js'], { cwd: place });
    expect(stdout).toBe("true [ 'refund' ] [ 'gateTools' ]\n");
    // The third entry is there, and needs its framework.
    const langchain = `import('@agentlattice/adapters/langchain').catch(({ message }) => console.log(message))`;
    const { stdout: missing } = await run(process.execPath, ['-e', langchain], { cwd: place });
    expect(missing).toMatch(/Cannot find package '(langchain|@langchain\/langgraph)'/);
  }, 120_000);
});
