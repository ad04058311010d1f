import type { HedgingBudget } from './hedging-budget.js';

/** A command is sent at most so often; each time after an equal part of its time limit. */
const mostTimes = 4;

/**
 * Sends a request, and again while no answer comes: NATS gives each to any one replica, and one that hangs stays a member of the group
 * until NATS misses its answers to pings. The first answer counts.
 * @param send sends the request with a time limit in milliseconds, and rejects when it was not answered in time
 * @throws the first error when no request is answered
 */
export function hedged<T>(
  send: (timeoutMs: number) => Promise<T>,
  timeoutMs: number,
  budget: HedgingBudget,
): Promise<T> {
  const partMs = timeoutMs / mostTimes;
  return new Promise((resolve, reject) => {
    let parts = 0;
    let underWay = 0;
    let failure: unknown;
    const ask = (limitMs: number) => {
      underWay += 1;
      send(limitMs).then(
        (answer) => {
          clearInterval(timer);
          budget.answered();
          resolve(answer);
        },
        (error: unknown) => {
          underWay -= 1;
          failure ??= error;
          if (underWay > 0) return;
          clearInterval(timer);
          reject(failure instanceof Error ? failure : new Error(String(failure)));
        },
      );
    };
    const timer = setInterval(() => {
      parts += 1;
      if (parts === mostTimes) clearInterval(timer);
      else if (budget.take()) ask(Math.round(timeoutMs - parts * partMs));
    }, partMs);
    ask(timeoutMs);
  });
}
