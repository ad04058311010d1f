import { emitKeypressEvents } from 'node:readline';
import type { ApprovalView } from '@agentlattice/contracts';
import { routes } from '@agentlattice/contracts';
import { exitCode, Failure } from '../../exit-code.js';
import type { Ports } from '../../ports.js';
import { decidedText } from '../../render/approval-text.js';
import { readApprovals, sendApproval, sendDenial } from '../approvals.js';
import { firstOf } from '../lists.js';
import { approvalEventTypes, approvalIdOf } from '../live-approvals.js';
import { exitCodeOf } from '../stop-watch.js';
import { type Effect, initialWatch, step, type WatchEvent } from './watch-state.js';
import { watchLines } from './watch-view.js';

const tickMs = 1_000;
/** Deadlines, rights and policies change without an event of a request. */
const refreshMs = 20_000;
const mostListed = 500;
const signals = ['SIGTERM', 'SIGHUP', 'SIGINT'] as const;

/** The live list on a terminal. @returns the exit code */
export function watchOnScreen(ports: Ports, filter: { actionType: string | undefined }): Promise<number> {
  return new Promise<number>((resolve, reject) => {
    const screen = new WatchScreen(ports, filter, {
      ended: (code) => {
        screen.close();
        resolve(code);
      },
      failed: (error) => {
        screen.close();
        reject(error instanceof Error ? error : new Error(String(error)));
      },
    });
    screen.open();
  });
}

class WatchScreen {
  private state = initialWatch;
  private readonly stop = new AbortController();
  private timers: NodeJS.Timeout[] = [];
  private isListing = false;
  private listAgain = false;

  constructor(
    private readonly ports: Ports,
    private readonly filter: { actionType: string | undefined },
    private readonly end: { ended: (code: number) => void; failed: (error: unknown) => void },
  ) {}

  open(): void {
    const { stdin } = process;
    emitKeypressEvents(stdin);
    stdin.setRawMode(true);
    stdin.on('keypress', this.onKey);
    stdin.resume();
    process.stdout.on('resize', this.draw);
    for (const signal of signals) process.on(signal, this.onSignal);
    this.ports.terminal.screen(true);
    this.timers = [setInterval(this.draw, tickMs), setInterval(() => void this.list(), refreshMs)];
    this.draw();
    void this.list();
    void this.follow();
  }

  close(): void {
    this.stop.abort();
    for (const timer of this.timers) clearInterval(timer);
    process.stdin.off('keypress', this.onKey);
    process.stdin.setRawMode(false);
    process.stdin.pause();
    process.stdout.off('resize', this.draw);
    for (const signal of signals) process.off(signal, this.onSignal);
    this.ports.terminal.screen(false);
  }

  private readonly onSignal = (signal: NodeJS.Signals) => this.end.ended(exitCodeOf(signal));

  private readonly onKey = (
    text: string | undefined,
    key: { name?: string; ctrl?: boolean; meta?: boolean; shift?: boolean },
  ) => {
    const base = key.name ?? text ?? '';
    const name =
      key.ctrl === true
        ? `ctrl+${base}`
        : base === 'enter'
          ? 'return'
          : key.shift === true && base === 'g'
            ? 'G'
            : base;
    // Escape sequences and control characters are no text.
    const isText = text !== undefined && key.ctrl !== true && key.meta !== true && !/\p{Cc}/u.test(text);
    this.take({ type: 'key', name, text: isText ? text : '', at: performance.now() });
  };

  private readonly draw = () => {
    if (this.stop.signal.aborted) return;
    const { terminal, style } = this.ports;
    const lines = watchLines(this.state, {
      columns: terminal.columns,
      rows: terminal.rows,
      now: performance.now(),
      style,
    });
    process.stdout.write(`\u001b[H${lines.map((line) => `${line}\u001b[0m\u001b[K`).join('\r\n')}\u001b[J`);
  };

  private take(event: WatchEvent): void {
    if (this.stop.signal.aborted) return;
    const { state, effect } = step(this.state, event);
    this.state = state;
    this.draw();
    if (effect !== undefined) this.perform(effect);
  }

  private perform(effect: Effect): void {
    switch (effect.type) {
      case 'quit':
        return this.end.ended(exitCode.ok);
      case 'refresh':
        return void this.list();
      case 'show':
        return void this.show(effect.id);
      case 'decide':
        return void this.decide(effect);
    }
  }

  /** One reading at a time; what is asked for meanwhile is read once more. */
  private async list(): Promise<void> {
    if (this.isListing) {
      this.listAgain = true;
      return;
    }
    this.isListing = true;
    const at = performance.now();
    try {
      const { items } = await firstOf<ApprovalView>(
        mostListed,
        readApprovals(this.ports, { status: 'pending', ...this.filter }, { retryForMs: 0 }),
      );
      this.take({ type: 'listed', approvals: items, at });
    } catch (error) {
      this.fault(error);
    }
    this.isListing = false;
    if (this.listAgain && !this.stop.signal.aborted) {
      this.listAgain = false;
      await this.list();
    }
  }

  private async show(id: string): Promise<void> {
    const at = performance.now();
    try {
      const view = await this.ports.api.call(routes.getApproval, {
        params: { approval_id: id },
        retryForMs: 0,
      });
      this.take({ type: 'shown', view, at });
    } catch (error) {
      this.fault(error);
    }
  }

  private async decide({ id, verdict, reason }: Extract<Effect, { type: 'decide' }>): Promise<void> {
    const { api } = this.ports;
    const decision = { id, reason: reason === '' ? undefined : reason };
    try {
      const decided =
        verdict === 'approve'
          ? await sendApproval(api, { ...decision, foreverFor: undefined })
          : await sendDenial(api, decision);
      this.take({ type: 'decided', id, text: decidedText(decided) });
    } catch (error) {
      this.take({ type: 'failed', text: error instanceof Error ? error.message : String(error) });
    }
  }

  private async follow(): Promise<void> {
    const onConnection = (isUp: boolean) => this.take({ type: 'connection', isUp, at: performance.now() });
    try {
      for await (const event of this.ports.api.events({
        types: approvalEventTypes,
        signal: this.stop.signal,
        onConnection,
      })) {
        void this.list();
        const { page } = this.state;
        const about = approvalIdOf(event);
        if (page.kind === 'request' && (about === null || about === page.id)) void this.show(page.id);
      }
    } catch (error) {
      if (!this.stop.signal.aborted) this.end.failed(error);
    }
  }

  /** An interruption is shown by the state of the connection; a refusal ends the view. */
  private fault(error: unknown): void {
    if (this.stop.signal.aborted) return;
    if (!(error instanceof Failure)) return this.end.failed(error);
    if (error.exitCode === exitCode.usage) return this.end.failed(error);
    if (error.exitCode === exitCode.unreachable) this.take({ type: 'unreachable', at: performance.now() });
    else this.take({ type: 'failed', text: error.message });
  }
}
