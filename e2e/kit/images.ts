import { execFile, spawn } from 'node:child_process';
import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { ServiceName } from '@agentlattice/contracts';
import { eventually, freePort } from '@agentlattice/testkit';

const repository = fileURLToPath(new URL('../..', import.meta.url));
const run = promisify(execFile);

/** As seldom as a kubelet in a hurry: many processes start at once here. */
const ready = { within: 100_000, every: 250 };

/** A process as a container starts it: from the folder of its image, with nothing in its environment that is not given. */
export interface Container {
  readonly url: string;
  output(): string;
  ready(): Promise<void>;
  /** Asks it to stop. @returns its exit code, or the signal that ended it */
  stop(): Promise<number | string>;
}

/** The folders of images below a temporary folder, made as the Dockerfile makes them. */
export class Images {
  private readonly running: Container[] = [];

  private constructor(readonly folder: string) {}

  static async of(names: readonly string[]): Promise<Images> {
    const parent = process.env['AL_TEST_STACKS'] ?? tmpdir();
    await mkdir(parent, { recursive: true });
    const images = new Images(await mkdtemp(join(parent, 'al-images-')));
    await Promise.all(
      names.map((name) =>
        run(process.execPath, ['tools/image-root.mjs', name, join(images.folder, name)], { cwd: repository }),
      ),
    );
    return images;
  }

  /** All files of an image, as paths below its root. */
  async files(name: string): Promise<string[]> {
    const entries = await readdir(join(this.folder, name), { recursive: true, withFileTypes: true });
    const root = join(this.folder, name);
    return entries
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name).slice(root.length + 1))
      .sort();
  }

  /** Runs the job to its end. */
  async migrate(env: NodeJS.ProcessEnv): Promise<string> {
    const { stdout } = await run(process.execPath, ['tools/launcher/dist/migrate.js'], {
      cwd: join(this.folder, 'migrate'),
      env,
    });
    return stdout;
  }

  async start(service: ServiceName, env: NodeJS.ProcessEnv): Promise<Container> {
    const port = String(await freePort());
    const child = spawn(process.execPath, ['--import', './tools/service-preload.mjs', 'main.js'], {
      cwd: join(this.folder, service),
      env: { ...env, ...(service === 'gateway' ? { PORT: port } : { AL_HEALTH_PORT: port }) },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
    const ended = new Promise<number | string>((resolve) =>
      child.once('exit', (code, signal) => resolve(code ?? signal ?? 'unknown')),
    );
    const url = `http://127.0.0.1:${port}`;
    const container: Container = {
      url,
      output: () => output,
      ready: () =>
        eventually(async () => (await fetch(`${url}/readyz?scope=local`)).ok, ready).then(
          () => undefined,
          (error: unknown) => {
            throw new Error(`the ${service} does not get ready: ${output}`, { cause: error });
          },
        ),
      stop: () => {
        child.kill('SIGTERM');
        return ended;
      },
    };
    this.running.push(container);
    return container;
  }

  async remove(): Promise<void> {
    await Promise.all(this.running.map((container) => container.stop()));
    await rm(this.folder, { recursive: true, force: true });
  }
}
