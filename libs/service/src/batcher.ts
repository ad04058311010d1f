import { Unavailable } from '@agentlattice/contracts';

export interface BatcherOptions {
  /** The most items that share a run. */
  readonly maxItems: number;
  /** The most runs at the same time; default 1. */
  readonly atOnce?: number;
  /** The most waiting items; default 10,000. */
  readonly maxWaiting?: number;
  /** Items that waited longer are rejected, because their callers have timed out. Default: no limit. */
  readonly oldestMs?: number;
  /** Monotonic. */
  readonly now?: () => number;
}

interface Waiting<Item, Result> {
  readonly item: Item;
  readonly since: number;
  readonly resolve: (result: Result | PromiseLike<Result>) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Runs work on items that arrive one by one and cost less together. An item that arrives while no run is under way begins at once;
 * items that arrive during a run share the next one. There are no timers: an item never waits for others to arrive.
 */
export class Batcher<Item, Result> {
  private readonly waiting: Waiting<Item, Result>[] = [];
  private running = 0;

  /** @param work returns a result, or the promise of one, for each item in their order */
  constructor(
    private readonly work: (items: readonly Item[]) => Promise<readonly (Result | PromiseLike<Result>)[]>,
    private readonly options: BatcherOptions,
  ) {}

  /** Resolves with the result of the item, from a run that began after this call. */
  do(item: Item): Promise<Result> {
    const { maxWaiting = 10_000 } = this.options;
    if (this.waiting.length >= maxWaiting)
      return Promise.reject(new Unavailable('too many items are waiting'));
    return new Promise((resolve, reject) => {
      this.waiting.push({ item, since: this.now(), resolve, reject });
      this.begin();
    });
  }

  private begin(): void {
    const { maxItems, atOnce = 1 } = this.options;
    if (this.running >= atOnce) return;
    this.dropStale();
    if (this.waiting.length === 0) return;
    const group = this.waiting.splice(0, maxItems);
    this.running += 1;
    this.work(group.map(({ item }) => item))
      .then(
        (results) => {
          for (const [i, { resolve, reject }] of group.entries()) {
            const result = results[i];
            if (result === undefined) reject(new Error('an item has no result'));
            else resolve(result);
          }
        },
        (error: unknown) => {
          for (const { reject } of group) reject(error);
        },
      )
      .finally(() => {
        this.running -= 1;
        this.begin();
      });
  }

  /** Rejects items that waited too long; the oldest are first. */
  private dropStale(): void {
    const { oldestMs = Number.POSITIVE_INFINITY } = this.options;
    const oldest = this.now() - oldestMs;
    const fresh = this.waiting.findIndex(({ since }) => since >= oldest);
    for (const { reject } of this.waiting.splice(0, fresh === -1 ? this.waiting.length : fresh))
      reject(new Unavailable('the item waited too long'));
  }

  private now(): number {
    return (this.options.now ?? (() => performance.now()))();
  }
}
