/** How long an open request may still wait. */
export interface Waiting {
  /** Epoch milliseconds. */
  readonly deadline: number;
}

export const soonMs = 5 * 60_000;
const laterMs = 60 * 60_000;

/** Each request in one group; a request whose deadline is past counts with the most urgent ones until it is ended. */
export function countsByTimeLeft(waiting: readonly Waiting[], now: Date) {
  const counts = { under_5_minutes: 0, under_1_hour: 0, later: 0 };
  for (const { deadline } of waiting) {
    const left = deadline - now.getTime();
    counts[left < soonMs ? 'under_5_minutes' : left < laterMs ? 'under_1_hour' : 'later'] += 1;
  }
  return counts;
}
