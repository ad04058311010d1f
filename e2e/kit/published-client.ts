import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { type PythonEnvironment, pythonEnvironment } from './python-environment.js';

const driver = fileURLToPath(new URL('../published-client/drive.py', import.meta.url));
/** The released client, with the extra that its `subscribe()` needs, and its siblings: one environment serves all their tests. */
export const publishedPackages = [
  'agentlattice[realtime]==0.4.2',
  'langchain-agentlattice==0.1.1',
  'al-instrument==0.1.1',
] as const;

/** An exception of the client, as the test program prints it. */
export interface Raised {
  readonly class: string;
  readonly code: string | null;
  readonly message: string;
  readonly approval_id: string | null;
  readonly reason: string | null;
  readonly policy: string | null;
}

export interface Call {
  readonly key: string;
  readonly args?: Record<string, unknown>;
  /** The client's constructor arguments other than key and address. */
  readonly settings?: Record<string, number>;
}

type Result = { readonly result: Record<string, unknown> } | { readonly error: Raised };

/** The published Python client, as released, in a virtual environment of its own. */
export class PublishedClient {
  private readonly waiting = new Map<number, (result: Result) => void>();
  private sequence = 0;

  private constructor(
    private readonly environment: PythonEnvironment,
    private readonly process: ChildProcessWithoutNullStreams,
    private readonly baseUrl: string,
  ) {
    createInterface({ input: process.stdout }).on('line', (line) => {
      const { id, ...result } = JSON.parse(line) as { id: number } & Result;
      this.waiting.get(id)?.(result);
      this.waiting.delete(id);
    });
  }

  /** Installs the client from the package index, unchanged. */
  static async install(baseUrl: string): Promise<PublishedClient> {
    const environment = await pythonEnvironment(...publishedPackages);
    const python = spawn(environment.program('python'), [driver]);
    python.stderr.pipe(globalThis.process.stderr);
    return new PublishedClient(environment, python, baseUrl);
  }

  call(op: string, { key, args = {}, settings = {} }: Call): Promise<Result> {
    const id = ++this.sequence;
    return new Promise((resolve) => {
      this.waiting.set(id, resolve);
      this.process.stdin.write(
        `${JSON.stringify({ id, op, key, args, settings, base_url: this.baseUrl })}\n`,
      );
    });
  }

  async stop(): Promise<void> {
    this.process.kill();
    await this.environment.remove();
  }
}
