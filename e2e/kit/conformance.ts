import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const folder = fileURLToPath(new URL('../../clients/conformance/', import.meta.url));

export interface NeutralCall {
  readonly method: string;
  readonly args: Readonly<Record<string, unknown>>;
}

/** The result of a call, with member names in snake_case. */
export type NeutralResult =
  | { readonly result: unknown }
  | {
      readonly error: {
        readonly class: string;
        readonly code: string | null;
        readonly [name: string]: unknown;
      };
    };

/** See `clients/conformance/README.md`. */
export interface ConformanceCase {
  readonly name: string;
  readonly client?: Readonly<Record<string, unknown>>;
  readonly call: NeutralCall;
  readonly exchanges: readonly object[];
  readonly returns?: unknown;
  readonly raises?: Readonly<Record<string, unknown>>;
}

/** A client, driven by neutral names. */
export interface DrivenClient {
  call(
    call: NeutralCall & {
      readonly baseUrl: string;
      readonly apiKey: string;
      readonly client: Readonly<Record<string, unknown>>;
    },
  ): Promise<NeutralResult>;
  stop(): Promise<void>;
}

/** The cases by their file. */
export function conformanceCases(): {
  readonly subject: string;
  readonly cases: readonly ConformanceCase[];
}[] {
  return readdirSync(`${folder}cases`)
    .sort()
    .map((file) => ({
      subject: file.replace('.json', ''),
      cases: JSON.parse(readFileSync(`${folder}cases/${file}`, 'utf8')) as ConformanceCase[],
    }));
}

/** The scripted server of the cases, as a process. */
export class ScriptedServer {
  private constructor(
    private readonly process: ChildProcessWithoutNullStreams,
    private readonly address: string,
  ) {}

  static async start(): Promise<ScriptedServer> {
    const server = spawn(process.execPath, [`${folder}serve.mjs`]);
    server.stderr.pipe(process.stderr);
    for await (const line of createInterface({ input: server.stdout }))
      return new ScriptedServer(server, line);
    throw new Error('the scripted server did not start');
  }

  /** Runs one case with one client. @returns the result of the call, and its differences from the case */
  async run(
    { call, client = {}, exchanges }: ConformanceCase,
    driven: DrivenClient,
  ): Promise<{ readonly got: NeutralResult; readonly faults: readonly string[] }> {
    const { id } = await this.json('/runs', { method: 'POST', body: JSON.stringify({ exchanges }) });
    const baseUrl = `${this.address}/runs/${String(id)}`;
    const got = await driven.call({ ...call, baseUrl, apiKey: 'al_agent_test', client });
    const { faults, missing } = await this.json(`/runs/${String(id)}`);
    const late = (missing as string[]).map((request) => `${request} did not come`);
    return { got, faults: [...(faults as string[]), ...late] };
  }

  async stop(): Promise<void> {
    this.process.stdin.end();
    await new Promise((resolve) => this.process.once('exit', resolve));
  }

  private async json(path: string, init: RequestInit = {}): Promise<Record<string, unknown>> {
    return (await (await fetch(this.address + path, init)).json()) as Record<string, unknown>;
  }
}

/** Names in snake_case, except inside values that callers defined. */
export function neutral(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(neutral);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [
      name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`),
      ['metadata', 'dataAccessed', 'expected'].includes(name) ? member : neutral(member),
    ]),
  );
}
