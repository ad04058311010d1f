import type { OnApplicationBootstrap, OnApplicationShutdown } from '@nestjs/common';

export interface Stoppable {
  stop(): Promise<void>;
}

/**
 * Background work of a service (relays, projections, sweeps) as a provider: started once all providers are made, and stopped
 * after the last batch of commands, so that the events of that batch are still relayed and its alarms set.
 */
export class Background implements OnApplicationBootstrap, OnApplicationShutdown {
  private running: readonly Stoppable[] = [];

  /** @param begin may return a promise: the service takes no command before it is kept */
  constructor(private readonly begin: () => readonly Stoppable[] | Promise<readonly Stoppable[]>) {}

  async onApplicationBootstrap(): Promise<void> {
    this.running = await this.begin();
  }

  async onApplicationShutdown(): Promise<void> {
    await Promise.all(this.running.map((work) => work.stop()));
  }
}
