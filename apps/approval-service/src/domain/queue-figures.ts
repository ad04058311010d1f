/** How long an open request may still wait. */
export interface Waiting {
  /** Epoch milliseconds. */
  readonly deadline: number;
}

export const soonMs = 5 * 60_000;
export const laterMs = 60 * 60_000;

/** Each request in one group; a request whose deadline is past counts with the most urgent ones until it is ended. */
export function countsByTimeLeft(waiting: readonly Waiting[], now: Date) {
  const under = (ms: number) => waiting.filter(({ deadline }) => deadline - now.getTime() < ms).length;
  return countsOf({ all: waiting.length, soon: under(soonMs), withinTheHour: under(laterMs) });
}

/** The groups of the queue from cumulated counts. */
export const countsOf = (cumulated: {
  readonly all: number;
  readonly soon: number;
  readonly withinTheHour: number;
}) => ({
  under_5_minutes: cumulated.soon,
  under_1_hour: cumulated.withinTheHour - cumulated.soon,
  later: cumulated.all - cumulated.withinTheHour,
});
