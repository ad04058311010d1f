/** How long each open request may still wait. */
export interface Waiting {
  readonly deadline_at: Date;
}
export interface CountsByTimeLeft {
  readonly under_5_minutes: number;
  readonly under_1_hour: number;
  readonly later: number;
}

const minuteMs = 60_000;

/** Each request in one group; a request whose deadline is past counts with the most urgent ones until it is ended. */
export function countsByTimeLeft(waiting: readonly Waiting[], now: Date): CountsByTimeLeft {
  const under = (minutes: number) =>
    waiting.filter(({ deadline_at }) => deadline_at.getTime() - now.getTime() < minutes * minuteMs).length;
  const [soon, thisHour] = [under(5), under(60)];
  return { under_5_minutes: soon, under_1_hour: thisHour - soon, later: waiting.length - thisHour };
}
