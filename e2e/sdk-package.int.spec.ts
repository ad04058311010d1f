import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
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

/** The published packages work on the runtimes of their users, without other packages. */
describe('the packages of the TypeScript SDK and of al', () => {
  let folder: string;
  let server: ScriptedServer;
  let sdk: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'al-sdk-'));
    server = await ScriptedServer.start();
    const [sdkFile, cliFile] = await Promise.all([
      packedBy('package-sdk.mjs', join(root, 'libs/sdk')),
      packedBy('package-cli.mjs', join(root, 'libs/cli/dist/package')),
    ]);
    sdk = sdkFile;
    await writeFile(join(folder, 'package.json'), '{"name":"user","private":true}');
    await npm('install', sdkFile, cliFile);
    for (const [name, text] of Object.entries(programs)) await writeFile(join(folder, name), text);
  }, 180_000);
  afterAll(async () => {
    await server.stop();
    await rm(folder, { recursive: true, force: true });
  });

  const npm = (...args: string[]) =>
    run('npm', [...args, '--no-audit', '--no-fund', '--loglevel=error'], { cwd: folder });

  /** Makes a package and its archive. @returns the path of the archive */
  async function packedBy(tool: string, from: string): Promise<string> {
    await run(process.execPath, [join(root, 'tools', tool)]);
    const { stdout } = await run('npm', ['pack', '--json', '--pack-destination', folder], { cwd: from });
    const [packed] = Object.values(JSON.parse(stdout) as Record<string, { filename: string }>);
    return join(folder, packed?.filename ?? '');
  }

  /** Runs the installed `al`, without a system; `doctor` loads every library that is inside. */
  async function runsAl(node: string): Promise<void> {
    const al = (...args: string[]) =>
      run(node, [join(folder, 'node_modules/.bin/al'), ...args], {
        cwd: folder,
        env: {
          PATH: process.env['PATH'],
          HOME: folder,
          AL_BASE_URL: 'http://127.0.0.1:1',
          AL_API_KEY: 'al_op_x',
        },
      }).then(
        ({ stdout }) => ({ code: 0, stdout, stderr: '' }),
        (error: unknown) => error as { code: number; stdout: string; stderr: string },
      );
    expect(await al('--version')).toMatchObject({ code: 0, stdout: expect.stringMatching(/^\d/) as string });
    expect(await al('approvals', 'list', '--retry-for', '1ms')).toMatchObject({
      code: 4,
      stderr: expect.stringContaining('cannot be reached (ECONNREFUSED)') as string,
    });
    expect(await al('doctor')).toMatchObject({
      code: 1,
      stdout: expect.stringContaining('http://127.0.0.1:1 does not answer') as string,
    });
  }

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
    expect((await readdir(join(folder, 'node_modules/@agentlattice'))).sort()).toEqual(['cli', 'sdk']);
    const others = (await readdir(join(folder, 'node_modules'))).filter((name) => !name.startsWith('.'));
    expect(others).toEqual(['@agentlattice']);
  });

  it('is at most 12 KB compressed', async () => {
    const size = gzipSync(await readFile(join(packageFolder, 'index.js')), { level: 9 }).length;
    expect(size).toBeLessThanOrEqual(12 * 1024);
  });

  it.each(Object.keys(programs))('runs on this Node: %s', (name) => passes(process.execPath, [name]));

  it('al runs on this Node', () => runsAl(process.execPath));

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
      if (packageName.startsWith(nodePackage)) await runsAl(binary);
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

  it('is all that the package of the adapters needs, beside the framework of its user', async () => {
    const place = join(folder, 'adapters');
    await mkdir(place);
    await writeFile(join(place, 'package.json'), '{"name":"user","private":true,"type":"module"}');
    await npm(
      'install',
      '--prefix',
      place,
      sdk,
      await packedBy('package-adapters.mjs', join(root, 'libs/adapters')),
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
