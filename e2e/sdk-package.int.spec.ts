import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import { notRun } from '@agentlattice/testkit';
import { conformanceCases, type DrivenClient, ScriptedServer } from './kit/conformance.js';

const run = promisify(execFile);
const root = fileURLToPath(new URL('..', import.meta.url));
const packageFolder = join(root, 'libs/sdk/dist/package');

const program = (load: string) => `${load}
const al = new AgentLattice({ apiKey: 'al_agent_test', baseUrl: process.env.BASE_URL });
al.gate('db.read', { metadata: { table: 'orders', n: 1.5 }, eventId: 'e-1' }).then(
  (cleared) => console.log(JSON.stringify({ result: cleared })),
  (error) => console.log(JSON.stringify({ error: { class: String(error), code: error.code } })),
);
`;
const programs = {
  'program.mjs': program(`import { AgentLattice } from '@agentlattice/sdk';`),
  'program.cjs': program(`const { AgentLattice } = require('@agentlattice/sdk');`),
};

/** The published package works on the runtimes of its users, without other packages. */
describe('the package of the TypeScript SDK', () => {
  let folder: string;
  let server: ScriptedServer;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'al-sdk-'));
    server = await ScriptedServer.start();
    await run(process.execPath, [join(root, 'tools/package-sdk.mjs')]);
    const { stdout } = await run('npm', ['pack', '--json', '--pack-destination', folder], {
      cwd: join(root, 'libs/sdk'),
    });
    const [packed] = Object.values(JSON.parse(stdout) as Record<string, { filename: string }>);
    await writeFile(join(folder, 'package.json'), '{"name":"user","private":true}');
    await npm('install', join(folder, packed?.filename ?? ''));
    for (const [name, text] of Object.entries(programs)) await writeFile(join(folder, name), text);
  }, 180_000);
  afterAll(async () => {
    await server.stop();
    await rm(folder, { recursive: true, force: true });
  });

  const npm = (...args: string[]) =>
    run('npm', [...args, '--no-audit', '--no-fund', '--loglevel=error'], { cwd: folder });

  /** Runs a program with a runtime; it must pass a gate. */
  async function passes(command: string, args: readonly string[]): Promise<void> {
    const one = conformanceCases()
      .flatMap(({ cases }) => cases)
      .find(({ name }) => name === 'an allowed action passes at once, with a grant that is checked');
    if (one === undefined) throw new Error('the case is gone');
    const client: DrivenClient = {
      call: async ({ baseUrl }) => {
        const { stdout } = await run(command, args, {
          cwd: folder,
          env: { ...process.env, BASE_URL: baseUrl, NODE_OPTIONS: '', NODE_NO_WARNINGS: '1' },
        });
        return JSON.parse(stdout) as Awaited<ReturnType<DrivenClient['call']>>;
      },
      stop: () => Promise.resolve(),
    };
    const { got, faults } = await server.run(one, client);
    expect(faults).toEqual([]);
    expect(got).toMatchObject({
      result: { status: 'executed', auditEventId: 'evt_1', policyName: 'reads', eventId: 'e-1' },
    });
  }

  it('installs nothing else', async () => {
    expect((await readdir(join(folder, 'node_modules/@agentlattice'))).sort()).toEqual(['sdk']);
    const others = (await readdir(join(folder, 'node_modules'))).filter((name) => !name.startsWith('.'));
    expect(others).toEqual(['@agentlattice']);
  });

  it('is at most 12 KB compressed', async () => {
    const size = gzipSync(await readFile(join(packageFolder, 'index.js')), { level: 9 }).length;
    expect(size).toBeLessThanOrEqual(12 * 1024);
  });

  it.each(Object.keys(programs))('runs on this Node: %s', (name) => passes(process.execPath, [name]));

  // This suite runs on Node 24; the other runtimes come from packages. The package `node` would install this one in a second run of npm.
  const nodePackage = `node-${process.platform}-${process.arch}`;
  it.each([
    ['node@20', `${nodePackage}@20`, `${nodePackage}/bin/node`, ['program.mjs']],
    ['node@22', `${nodePackage}@22`, `${nodePackage}/bin/node`, ['program.mjs']],
    ['deno', 'deno', '.bin/deno', ['run', '--allow-all', 'program.mjs']],
    ['bun', 'bun', '.bin/bun', ['program.mjs']],
  ])(
    'runs on %s',
    async (runtime, packageName, path, args) => {
      const place = join(folder, 'runtimes', runtime);
      const binary = join(place, 'node_modules', path);
      try {
        await npm('install', '--prefix', place, packageName, '--ignore-scripts=false');
        await run(binary, ['--version']);
      } catch (error) {
        notRun(
          `the TypeScript SDK on ${runtime}: it cannot be installed here (${String(error).slice(0, 200)})`,
        );
        return;
      }
      await passes(binary, args);
    },
    180_000,
  );

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
    const tsc = join(root, 'node_modules/typescript/bin/tsc');
    const { stdout } = await run(process.execPath, [tsc, '-p', folder], { cwd: folder }).catch(
      (error: unknown) => error as { stdout: string },
    );
    expect(stdout).toBe('');
  });
});
