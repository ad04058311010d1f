/**
 * Runs `work` at once when it rested, and otherwise again when the running one is done: at most four times a second, and for not more than a third
 * of the time, however often it is asked for; the pauses are three seconds at most.
 */
export function coalesced(work: () => Promise<unknown>): () => void {
  const shortestGapMs = 250;
  // After one that was slow or got stuck, the page must not stay old for long.
  const longestGapMs = 3_000;
  let isBusy = false;
  let isWanted = false;
  const run = async (): Promise<void> => {
    isBusy = true;
    while (isWanted) {
      isWanted = false;
      const begun = Date.now();
      await work().catch(() => undefined);
      const took = Date.now() - begun;
      await new Promise((done) =>
        setTimeout(done, Math.min(Math.max(shortestGapMs, 2 * took), longestGapMs)),
      );
    }
    isBusy = false;
  };
  return () => {
    isWanted = true;
    if (!isBusy) void run();
  };
}
