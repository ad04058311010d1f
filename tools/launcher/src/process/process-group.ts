import { StartRefused } from '../start-refused.js';
import { type ChildSpec, SupervisedProcess, type SupervisionOptions } from './supervised-process.js';

/** All child processes of one system; after closing it none is left. */
export class ProcessGroup {
  private readonly members = new Map<string, SupervisedProcess>();
  private closed: Promise<void> | undefined;
  private readonly closingNow = new AbortController();

  constructor(private readonly options: SupervisionOptions) {}

  /**
   * Starts supervising a child.
   * @throws StartRefused once the group is closing, so that a start in progress ends there
   */
  supervise(spec: ChildSpec): SupervisedProcess {
    if (this.closed !== undefined) throw new StartRefused('The start was stopped.');
    const member = new SupervisedProcess(spec, this.options);
    this.members.set(spec.name, member);
    member.start();
    return member;
  }

  get(name: string): SupervisedProcess | undefined {
    return this.members.get(name);
  }

  /** Aborted when the group begins to close: nothing is restarted from then on. */
  get closing(): AbortSignal {
    return this.closingNow.signal;
  }

  /** Stops the services first, then the servers they finish their work with. Safe to call again. */
  close(): Promise<void> {
    this.closingNow.abort();
    this.closed ??= this.stopAll();
    return this.closed;
  }

  /** Closes without giving the services time to finish their work, for tests whose data is deleted. */
  discard(): Promise<void> {
    this.closingNow.abort();
    this.closed ??= this.stopAll('SIGKILL');
    return this.closed;
  }

  /** @param signal for the services; default: each one's own */
  private async stopAll(signal?: NodeJS.Signals): Promise<void> {
    for (const backend of [false, true]) {
      const some = [...this.members.values()].filter((m) => m.spec.backend === backend);
      await Promise.all(some.map((m) => m.stop(backend ? undefined : signal)));
    }
  }
}
