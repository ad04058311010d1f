import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { notRun } from '@agentlattice/testkit';
import { conformanceCases, type DrivenClient, ScriptedServer } from './conformance.js';

const run = promisify(execFile);
const root = fileURLToPath(new URL('../..', import.meta.url));

const program = (load: string) => `${load}
const al = new AgentLattice({ apiKey: 'al_agent_test', baseUrl: process.env.BASE_URL });
al.gate('db.read', { metadata: { table: 'orders', n: 1.5 }, eventId: 'e-1' }).then(
  (cleared) => console.log(JSON.stringify({ result: cleared })),
  (error) => console.log(JSON.stringify({ error: { class: String(error), code: error.code } })),
);
`;
/** Programs of a user, by the name of their file. */
export const programs = {
  'program.mjs': program(`import { AgentLattice } from '@agentlattice/sdk';`),
  'program.cjs': program(`const { AgentLattice } = require('@agentlattice/sdk');`),
};

/** A runtime that comes as a package. */
export interface PublishedRuntime {
  /** As npm knows it, with its version. */
  readonly packageName: string;
  /** Its program, below node_modules. */
  readonly path: string;
  readonly args: readonly string[];
  readonly isNode: boolean;
}
// The package `node` would install this one in a second run of npm.
const nodePackage = `node-${process.platform}-${process.arch}`;
export const nodeRuntime = (version: string): PublishedRuntime => ({
  packageName: `${nodePackage}@${version}`,
  path: `${nodePackage}/bin/node`,
  args: ['program.mjs'],
  isNode: true,
});

/** The packages of the SDK and of `al`, installed into the folder of a user. */
export class InstalledPackages {
  private constructor(
    readonly folder: string,
    private readonly server: ScriptedServer,
    /** The path of the SDK's archive. */
    public sdk = '',
  ) {}

  static async start(): Promise<InstalledPackages> {
    const folder = await mkdtemp(join(tmpdir(), 'al-sdk-'));
    const packages = new InstalledPackages(folder, await ScriptedServer.start());
    const [sdk, cli] = await Promise.all([
      packages.packedBy('package-sdk.mjs', join(root, 'libs/sdk')),
      packages.packedBy('package-cli.mjs', join(root, 'libs/cli/dist/package')),
    ]);
    await writeFile(join(folder, 'package.json'), '{"name":"user","private":true}');
    await packages.npm('install', sdk, cli);
    packages.sdk = sdk;
    for (const [name, text] of Object.entries(programs)) await writeFile(join(folder, name), text);
    return packages;
  }

  async stop(): Promise<void> {
    await this.server.stop();
    await rm(this.folder, { recursive: true, force: true });
  }

  npm(...args: string[]): Promise<unknown> {
    return run('npm', [...args, '--no-audit', '--no-fund', '--loglevel=error'], { cwd: this.folder });
  }

  /** Makes a package and its archive. @returns the path of the archive */
  async packedBy(tool: string, from: string): Promise<string> {
    await run(process.execPath, [join(root, 'tools', tool)]);
    const { stdout } = await run('npm', ['pack', '--json', '--pack-destination', this.folder], { cwd: from });
    const [packed] = Object.values(JSON.parse(stdout) as Record<string, { filename: string }>);
    return join(this.folder, packed?.filename ?? '');
  }

  /** Runs the installed `al`, without a system; `doctor` loads every library that is inside. */
  async runsAl(node: string): Promise<void> {
    const al = (...args: string[]) =>
      run(node, [join(this.folder, 'node_modules/.bin/al'), ...args], {
        cwd: this.folder,
        env: {
          PATH: process.env['PATH'],
          HOME: this.folder,
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
  async passes(command: string, args: readonly string[]): Promise<void> {
    const one = conformanceCases()
      .flatMap(({ cases }) => cases)
      .find(({ name }) => name === 'an allowed action passes at once, with a grant that is checked');
    if (one === undefined) throw new Error('the case is gone');
    const client: DrivenClient = {
      call: async ({ baseUrl }) => {
        const { stdout } = await run(command, args, {
          cwd: this.folder,
          env: { ...process.env, BASE_URL: baseUrl, NODE_OPTIONS: '', NODE_NO_WARNINGS: '1' },
        });
        return JSON.parse(stdout) as Awaited<ReturnType<DrivenClient['call']>>;
      },
      stop: () => Promise.resolve(),
    };
    const { got, faults } = await this.server.run(one, client);
    expect(faults).toEqual([]);
    expect(got).toMatchObject({
      result: { status: 'executed', auditEventId: 'evt_1', policyName: 'reads', eventId: 'e-1' },
    });
  }

  /** A program, and `al` where it is Node, with a runtime that is installed for it. */
  async runsOn({ packageName, path, args, isNode }: PublishedRuntime): Promise<void> {
    const place = join(this.folder, 'runtimes', packageName);
    const binary = join(place, 'node_modules', path);
    try {
      await this.npm('install', '--prefix', place, packageName, '--ignore-scripts=false');
      await run(binary, ['--version']);
    } catch (error) {
      const why = String(error).slice(0, 200);
      notRun(`the TypeScript SDK on ${packageName}: it cannot be installed here (${why})`);
      return;
    }
    await this.passes(binary, args);
    if (isNode) await this.runsAl(binary);
  }
}
