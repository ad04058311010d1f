import { badConfigurationExit } from '@agentlattice/contracts';
import { type ChildProcess, spawn } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';
import { errorText } from '../error-text.js';
import { StartRefused } from '../start-refused.js';
import { removePidFile, writePidFile } from './pid-file.js';
import { ProcessLog } from './process-log.js';

export interface ChildSpec {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd: string;
  /** Called at every spawn, so that each run can have its own instance name. */
  readonly env: () => NodeJS.ProcessEnv;
  readonly uid?: number;
  readonly gid?: number;
  readonly stopSignal: 'SIGTERM' | 'SIGINT';
  /** Servers are stopped after the services that use them. */
  readonly backend: boolean;
  /** Called before every spawn, for example to remove the files of a killed run. */
  readonly prepare?: () => Promise<void>;
  /** Whether the child does its work. */
  readonly isReady: () => Promise<boolean>;
  /** The text that the terminal shows for a line; undefined for most lines. */
  readonly present: (line: string) => string | undefined;
}

export interface SupervisionOptions {
  readonly dataDir: string;
  readonly print: (line: string) => void;
  readonly stopWithinMs?: number;
  readonly firstBackOffMs?: number;
  readonly longestBackOffMs?: number;
  readonly healthyAfterMs?: number;
  /** Called when the child refuses its configuration after it was running. */
  readonly onGivenUp?: (reason: StartRefused) => void;
}

/** One child process that is restarted whenever it ends without being stopped. */
export class SupervisedProcess {
  private child: ChildProcess | undefined;
  private stopping = false;
  private wake = new AbortController();
  private ended: Promise<void> = Promise.resolve();
  private refusal: StartRefused | undefined;
  private lastLine = '';
  private starts = 0;
  private readonly log: ProcessLog;

  constructor(
    readonly spec: ChildSpec,
    private readonly options: SupervisionOptions,
  ) {
    this.log = new ProcessLog(options.dataDir, spec.name, (line) => {
      if (line.trim() !== '') this.lastLine = line;
      const shown = this.stopping ? undefined : spec.present(line);
      if (shown !== undefined) this.print(shown);
    });
  }

  /** The process id of the child; undefined between two runs. */
  get pid(): number | undefined {
    return this.child?.pid;
  }

  /** How often the child was spawned. */
  get runs(): number {
    return this.starts;
  }

  /** Begins supervision; the child need not be ready yet. */
  start(): void {
    this.stopping = false;
    this.refusal = undefined;
    this.wake = new AbortController();
    this.ended = this.keepRunning();
  }

  /**
   * Waits until the child does its work.
   * @throws StartRefused when it refuses its configuration or is not ready in time
   */
  async ready(withinMs: number): Promise<void> {
    const deadline = Date.now() + withinMs;
    while (!(this.child !== undefined && (await this.spec.isReady().catch(() => false)))) {
      if (this.refusal !== undefined) throw this.refusal;
      if (this.stopping) throw new StartRefused(`${this.spec.name} was stopped while it started.`);
      if (Date.now() > deadline)
        throw new StartRefused(
          `${this.spec.name} was not ready within ${String(Math.round(withinMs / 1000))} s; its last line was "${this.lastLine.slice(0, 300)}" (the whole log: ${this.options.dataDir}/logs/${this.spec.name}.log).`,
        );
      await delay(25);
    }
  }

  /** Sends a signal to the running child, which will be restarted. Returns false when none runs. */
  kill(signal: NodeJS.Signals): boolean {
    const sent = this.child?.kill(signal) ?? false;
    // It counts as dead at once, although its exit is reported later: `ready` must not be answered by the killed child.
    if (sent && signal === 'SIGKILL') this.child = undefined;
    return sent;
  }

  /** Ends the child and its supervision; after return no process is left. */
  async stop(signal: NodeJS.Signals = this.spec.stopSignal): Promise<void> {
    this.stopping = true;
    this.wake.abort();
    const child = this.child;
    child?.kill(signal);
    const force = setTimeout(() => this.child?.kill('SIGKILL'), this.options.stopWithinMs ?? 10_000);
    await this.ended;
    clearTimeout(force);
  }

  private async keepRunning(): Promise<void> {
    const first = this.options.firstBackOffMs ?? 100;
    let backOff = first;
    while (!this.stopping) {
      const startedAt = Date.now();
      const how = await this.runOnce();
      if (this.stopping) return;
      if (how === `code ${String(badConfigurationExit)}`) return this.giveUp();
      if (Date.now() - startedAt >= (this.options.healthyAfterMs ?? 10_000)) backOff = first;
      this.print(`ended (${how}); starting it again in ${String(backOff)} ms`);
      await delay(backOff, undefined, { signal: this.wake.signal }).catch(() => undefined);
      backOff = Math.min(backOff * 2, this.options.longestBackOffMs ?? 2_000);
    }
  }

  private giveUp(): void {
    this.refusal = new StartRefused(`${this.spec.name} refuses its configuration: ${this.lastLine}`);
    this.options.onGivenUp?.(this.refusal);
  }

  /** @returns how the run ended, as a text */
  private async runOnce(): Promise<string> {
    const { spec, options } = this;
    try {
      await spec.prepare?.();
    } catch (error) {
      return `cannot be prepared: ${errorText(error)}`;
    }
    if (this.stopping) return 'stopped';
    const child = spawn(spec.command, spec.args, {
      cwd: spec.cwd,
      env: spec.env(),
      // Its own process group, so that Ctrl-C reaches only the launcher, which stops everything in order.
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
      ...(spec.uid === undefined ? {} : { uid: spec.uid }),
      ...(spec.gid === undefined ? {} : { gid: spec.gid }),
    });
    this.starts++;
    const exit = new Promise<string>((resolve) => {
      const ended = (code: number | null, signal: NodeJS.Signals | null) =>
        resolve(signal ?? `code ${String(code)}`);
      // 'close' comes after the last line was read; a grandchild that keeps the pipe open must not delay this.
      child.once('close', ended);
      child.once('exit', (code, signal) => setTimeout(ended, 500, code, signal).unref());
      child.once('error', (error) => resolve(error.message));
    });
    if (child.pid !== undefined) {
      this.child = child;
      writePidFile(options.dataDir, spec.name, {
        pid: child.pid,
        stopSignal: spec.stopSignal,
        backend: spec.backend,
      });
      this.log.follow(child.stdout);
      this.log.follow(child.stderr);
    }
    const how = await exit;
    this.child = undefined;
    removePidFile(options.dataDir, spec.name);
    return how;
  }

  private print(line: string): void {
    this.options.print(`${this.spec.name} | ${line}`);
  }
}
