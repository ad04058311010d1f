import { type ApprovalView, routes } from '@agentlattice/contracts';
import type { Ports } from '../ports.js';
import { approvalIdOf } from './live-approvals.js';
import { changesText, waitingText } from '../render/gate-text.js';
import { shortText } from '../render/safe-text.js';
import { spanText } from '../render/time-text.js';
import { votesText } from '../render/vote-text.js';

/** Most requests that are decided at once need no second connection. */
const quietMs = 1_000;
/** When a log, which nobody looks at, is told that the gate still waits: after 1, 5 and 15 minutes, then every 15. */
const logAfterMs = [60_000, 300_000, 900_000] as const;
const tickMs = 1_000;

/** What a person sees while a gate waits: who is asked, the time that is left, and votes as they are cast. */
export class GateWaiting {
  private view: ApprovalView | null = null;
  private readAt = performance.now();
  private readonly begun = performance.now();
  private logged = 0;
  private isEscalated = false;
  private readonly ended = new AbortController();
  private looking = Promise.resolve();

  constructor(
    private readonly ports: Pick<Ports, 'api' | 'terminal'>,
    private readonly approvalId: string,
    private readonly timeoutAt: string,
  ) {}

  /** Says who must decide, and goes on telling until `end`. Nothing of it can fail the gate. */
  async begin(stop: AbortSignal): Promise<void> {
    const { terminal } = this.ports;
    this.view = await this.read(stop);
    terminal.say(waitingText(this.approvalId, this.timeoutAt, this.view));
    const timer = setInterval(() => this.tick(), tickMs);
    const start = setTimeout(() => void this.follow().catch(() => undefined), quietMs);
    this.ended.signal.addEventListener('abort', () => {
      clearInterval(timer);
      clearTimeout(start);
      terminal.status('');
    });
  }

  /** The system said that the request is escalated. */
  escalated(): void {
    if (!this.isEscalated) this.ports.terminal.say('escalated: more people have been asked');
    this.isEscalated = true;
  }

  end(): void {
    this.ended.abort();
  }

  private async follow(): Promise<void> {
    const types = ['approval.vote_cast', 'approval.vote_withdrawn', 'approval.escalated'];
    // What happened before the stream began is not in it.
    const onConnection = (isUp: boolean) => void (isUp && this.look());
    for await (const event of this.ports.api.events({ types, signal: this.ended.signal, onConnection })) {
      // After `reset` events were missed, so the request is read in any case.
      const about = approvalIdOf(event);
      if (about === null || about === this.approvalId) await this.look();
    }
  }

  /** Reads the request and tells what is new; one reading at a time, so that nothing is told twice. */
  private look(): Promise<void> {
    this.looking = this.looking.then(async () => {
      const now = await this.read(this.ended.signal);
      if (now === null || this.ended.signal.aborted) return;
      for (const line of changesText(this.view, now)) this.ports.terminal.say(line);
      if (now.status === 'escalated') this.escalated();
      this.view = now;
    });
    return this.looking;
  }

  private async read(signal: AbortSignal): Promise<ApprovalView | null> {
    const params = { approval_id: this.approvalId };
    const view = await this.ports.api
      .call(routes.getApproval, { params, signal, retryForMs: 0 })
      .catch(() => null);
    this.readAt = performance.now();
    return view;
  }

  private tick(): void {
    const { terminal } = this.ports;
    const waited = performance.now() - this.begun;
    const text = this.line();
    if (terminal.isWatched) return terminal.status(shortText(text, terminal.columns - 1));
    const after = logAfterMs[this.logged] ?? (this.logged - 1) * logAfterMs[2];
    if (waited < after) return;
    this.logged++;
    terminal.say(`still ${text}`);
  }

  /** By the clock of the system, from the last reading on: the clock of this machine may be wrong. */
  private line(): string {
    const left =
      this.view === null
        ? Date.parse(this.timeoutAt) - Date.now()
        : this.view.time_left_seconds * 1_000 - (performance.now() - this.readAt);
    const votes = this.view === null ? '' : ` · ${votesText(this.view)}`;
    return `waiting for ${this.approvalId} · ${spanText(left)} left${votes}`;
  }
}
