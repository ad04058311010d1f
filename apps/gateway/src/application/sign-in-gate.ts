import { Batcher } from '@agentlattice/service';

/**
 * The turns of calls that anybody can make and that need the database and a hash. A flood of them waits here or gets 503, and
 * leaves the connections of the pool to calls with a key or a session.
 */
export class SignInGate {
  private readonly turns: Batcher<() => Promise<{ readonly result: unknown }>, { readonly result: unknown }>;

  constructor(mostWaiting = 64) {
    this.turns = new Batcher(async (works) => Promise.all(works.map((work) => work())), {
      ...{ most: 1, atOnce: 2, mostWaiting, oldestMs: 5_000 },
    });
  }

  /** @throws Unavailable when too many wait, or this one waited too long */
  async pass<T>(work: () => Promise<T>): Promise<T> {
    const { result } = await this.turns.do(async () => ({ result: await work() }));
    return result as T;
  }
}
