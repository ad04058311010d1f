import type { Credentials } from '@agentlattice/launcher';

/** A system that runs, with the credentials of one workspace of it: what tests need that only call its API. */
export interface RunningSystem {
  readonly baseUrl: string;
  readonly credentials: Credentials;
}
