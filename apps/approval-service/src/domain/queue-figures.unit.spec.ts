import { countsByTimeLeft } from './queue-figures.js';

it('each request counts once, by the time that is left', () => {
  const now = new Date('2026-11-29T12:00:00Z');
  const inMs = (ms: number) => ({ deadline: now.getTime() + ms });
  const [minute, hour] = [60_000, 3_600_000];
  const waiting = [-1, 0, 5 * minute - 1, 5 * minute, hour - 1, hour, 48 * hour].map(inMs);
  expect(countsByTimeLeft(waiting, now)).toEqual({ under_5_minutes: 3, under_1_hour: 2, later: 2 });
  expect(countsByTimeLeft([], now)).toEqual({ under_5_minutes: 0, under_1_hour: 0, later: 0 });
});
