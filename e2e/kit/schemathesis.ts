import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type PythonEnvironment, pythonEnvironment } from './python-environment.js';

const released = 'schemathesis==4.32.5';
const settings = fileURLToPath(new URL('../schemathesis/', import.meta.url));

export interface Fuzzing {
  readonly document: unknown;
  readonly key: string;
  readonly operations: readonly string[];
  /** `fuzzing`: a few requests at random for each operation; `coverage`: besides, every limit of every value, which takes long. */
  readonly phases: string;
  readonly untilFirstFailure?: boolean;
}
export interface Found {
  /** Operations for which requests were made. */
  readonly tried: number;
  /** The report of schemathesis about answers that differ from the document; empty when none does. */
  readonly report: string;
}

/** Makes valid and invalid requests from an OpenAPI document, and checks the answers against it. */
export class Schemathesis {
  private constructor(
    private readonly environment: PythonEnvironment,
    private readonly baseUrl: string,
  ) {}

  static async install(baseUrl: string): Promise<Schemathesis> {
    return new Schemathesis(await pythonEnvironment(released), baseUrl);
  }

  /**
   * The same requests at every run, unless answers differ. Their number is limited, not the time: with a limit of time, a busy
   * machine would try the first operations only.
   */
  async fuzz({ document, key, operations, phases, untilFirstFailure = false }: Fuzzing): Promise<Found> {
    const folder = await mkdtemp(join(tmpdir(), 'al-fuzz-'));
    try {
      const [documentFile, reportFile] = [join(folder, 'openapi.json'), join(folder, 'report.json')];
      await writeFile(documentFile, JSON.stringify(document));
      const output = await this.run(folder, [
        ...['--config-file', join(settings, 'schemathesis.toml'), 'run', documentFile],
        ...['--url', this.baseUrl, '--header', `Authorization: Bearer ${key}`],
        ...['--seed', '1', '--max-examples', '5', '--phases', phases, '--no-shrink'],
        ...(untilFirstFailure ? ['--max-failures', '1'] : ['--continue-on-failure']),
        ...['--generation-database', 'none', '--warnings', 'off'],
        // Instead of it: refused_by_announced_rules_only of hooks.py, which knows of `x-rules`.
        ...['--exclude-checks', 'positive_data_acceptance'],
        ...['--report', 'json', '--report-json-path', reportFile],
        ...operations.flatMap((id) => ['--include-operation-id', id]),
      ]);
      const report = JSON.parse(await readFile(reportFile, 'utf8').catch(() => 'null')) as Report | null;
      if (report === null) throw new Error(`schemathesis ended without a report:\n${output}`);
      const isClean = report.failures.length + report.errors.length === 0;
      return { tried: report.operations.tested, report: isClean ? '' : output };
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }

  private run(folder: string, args: readonly string[]): Promise<string> {
    return new Promise((resolve, reject) => {
      const child = spawn(this.environment.program('schemathesis'), args, {
        cwd: folder,
        env: {
          ...process.env,
          SCHEMATHESIS_HOOKS: 'hooks',
          PYTHONPATH: settings,
        },
      });
      let output = '';
      for (const stream of [child.stdout, child.stderr])
        stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
      child.once('error', reject);
      child.once('close', () => {
        resolve(output);
      });
    });
  }

  stop(): Promise<void> {
    return this.environment.remove();
  }
}

interface Report {
  readonly operations: { readonly tested: number };
  readonly failures: readonly unknown[];
  readonly errors: readonly unknown[];
}
