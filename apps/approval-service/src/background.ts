import type { OnApplicationBootstrap, OnApplicationShutdown } from '@nestjs/common';

export interface Stoppable {
  stop(): Promise<void>;
}

/**
 * Background work as a provider: started once all providers exist, and stopped after the last batch of commands, so that the
 * events of that batch are still relayed and its alarms set.
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

/** The pauses of a sweep that finds the work of lost messages, lost timers and dead processes. */
export const sweepPace = {
  everyMs: 1_000,
  /**
   * While there is nothing to do; each commit of this process restores the usual pause. Shorter than the promised recovery
   * after timers, messages or a process were lost (15 s).
   */
  idleMs: 8_000,
} as const;
