import type { OnApplicationBootstrap, OnApplicationShutdown } from '@nestjs/common';

export interface Stoppable {
  stop(): Promise<void>;
}

/**
 * Work that runs beside the requests, as a provider: begun once all providers are made, and stopped after the last batch of
 * commands, so that its events are still relayed and its alarms set.
 */
export class Background implements OnApplicationBootstrap, OnApplicationShutdown {
  private running: readonly Stoppable[] = [];

  constructor(private readonly begin: () => readonly Stoppable[]) {}

  onApplicationBootstrap(): void {
    this.running = this.begin();
  }

  async onApplicationShutdown(): Promise<void> {
    await Promise.all(this.running.map((work) => work.stop()));
  }
}

/** The pace of a sweep that finds what a lost message, a lost timer or a dead process left. */
export const sweepPace = {
  everyMs: 1_000,
  /**
   * While there is nothing to do; each commit of this process brings the usual pace back. Below what is promised after timers,
   * messages or a process were lost (15 s).
   */
  idleMs: 8_000,
} as const;
