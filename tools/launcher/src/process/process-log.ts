import { closeSync, mkdirSync, openSync, renameSync, statSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { createInterface } from 'node:readline';

const rotateAtBytes = 20 * 1024 * 1024;

/**
 * Writes the output of a child to `<dataDir>/logs/<name>.log` (one older file is kept). `onLine` gets each line as well and decides what the
 * terminal shows.
 */
export class ProcessLog {
  private readonly path: string;
  private file: number;
  private size: number;

  constructor(
    dataDir: string,
    name: string,
    private readonly onLine: (line: string) => void,
  ) {
    const dir = join(dataDir, 'logs');
    mkdirSync(dir, { recursive: true, mode: 0o700 });
    this.path = join(dir, `${name}.log`);
    this.file = openSync(this.path, 'a', 0o600);
    this.size = statSync(this.path).size;
  }

  /** Follows one output of a child until it ends. */
  follow(output: Readable): void {
    const lines = createInterface({ input: output, crlfDelay: Infinity });
    lines.on('line', (line) => this.write(line));
    output.on('error', () => lines.close());
  }

  write(line: string): void {
    try {
      if (this.size > rotateAtBytes) this.rotate();
      this.size += writeSync(this.file, `${line}\n`);
    } catch {
      // The system must not stop because a full disk takes no logs.
    }
    this.onLine(line);
  }

  private rotate(): void {
    closeSync(this.file);
    renameSync(this.path, `${this.path}.1`);
    this.file = openSync(this.path, 'a', 0o600);
    this.size = 0;
  }
}
