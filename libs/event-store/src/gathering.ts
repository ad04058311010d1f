/** Work that arrives within this time after the last round is done together; no answer waits for it. */
export const gatherMs = 250;

/**
 * Rounds of work that are at least `gatherMs` apart: the first after a quiet time begins at once, and work that arrives
 * meanwhile shares the next one, because one by one it would cost much more.
 */
export class Gathering {
  /** Monotonic. */
  private endedAt = Number.NEGATIVE_INFINITY;

  /** Resolves when the next round may begin; at once when `signal` is aborted. */
  async next(signal?: AbortSignal): Promise<void> {
    const restMs = this.endedAt + gatherMs - performance.now();
    if (restMs <= 0 || signal?.aborted === true) return;
    await new Promise<void>((resolve) => {
      const end = () => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', end);
        resolve();
      };
      const timer = setTimeout(end, restMs);
      signal?.addEventListener('abort', end, { once: true });
    });
  }

  /** A round has just ended. */
  ended(): void {
    this.endedAt = performance.now();
  }
}
