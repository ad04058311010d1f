import type { Overview } from '@agentlattice/contracts';
import { durationText, plural } from './time-left.js';

export type Bucket = Overview['series'][number];

/** The ways in which a request ends, in the order of the stack. */
export const endings = [
  { key: 'approved', name: 'Approved' },
  { key: 'denied', name: 'Denied' },
  { key: 'timed_out', name: 'Timed out' },
  { key: 'released', name: 'Released by a policy change' },
  { key: 'cancelled', name: 'Withdrawn' },
] as const;
export type Ending = (typeof endings)[number]['key'];

/** `10 %` of all, rounded; the exact numbers stand beside it. */
export const shareText = (part: number, all: number): string =>
  all === 0 ? '0' : String(Math.round((part / all) * 100));

export const secondsText = (seconds: number | null): string =>
  seconds === null ? 'None' : durationText(Math.max(1, seconds) * 1_000);

/** What a bucket is called: `9 Nov`, or `14:00`. */
export function bucketName(start: string, bucket: Overview['bucket'], timeZone: string): string {
  return new Intl.DateTimeFormat(
    'en-GB',
    bucket === 'day'
      ? { day: 'numeric', month: 'short', timeZone }
      : { hour: '2-digit', minute: '2-digit', timeZone },
  ).format(new Date(start));
}

/** The unit in which the largest value reads well. */
export function timeUnit(largestSeconds: number): { readonly name: string; readonly seconds: number } {
  if (largestSeconds < 180) return { name: 'seconds', seconds: 1 };
  return largestSeconds < 3 * 3_600 ? { name: 'minutes', seconds: 60 } : { name: 'hours', seconds: 3_600 };
}

/** The chart of times, in words. */
export function timesSummary({ series, bucket, median_seconds, p95_seconds }: Overview): string {
  const decided = series.filter(({ median_seconds: median }) => median !== null);
  if (decided.length === 0) return 'No request was decided by a person in this time.';
  const over = series.filter(
    ({ p95_seconds: p95, timeout_seconds: timeout }) => p95 !== null && timeout !== null && p95 >= timeout,
  );
  const late =
    over.length === 0
      ? 'always under the timeout'
      : `over the timeout in ${String(over.length)} of ${plural(decided.length, bucket)}`;
  return `Half are decided within ${secondsText(median_seconds)}, 95 of 100 within ${secondsText(p95_seconds)}, ${late}.`;
}

/** The chart of endings, in words. */
export function endingsSummary(overview: Overview): string {
  const parts = endings.filter(({ key }) => overview[key] > 0);
  if (parts.length === 0) return 'No request ended in this time.';
  return `Of ${plural(overview.asked, 'request')}: ${parts
    .map(({ key, name }) => `${overview[key].toLocaleString('en-US')} ${name.toLowerCase()}`)
    .join(', ')}.`;
}

const weekdays = ['Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday', 'Sunday'] as const;
export const weekdayName = (weekday: number): string => weekdays[weekday - 1] ?? '';
const hourName = (hour: number) => `${String(hour).padStart(2, '0')}:00`;

/** The chart of hours, in words. */
export function hoursSummary({ hours }: Overview): string {
  const busiest = hours.reduce<Overview['hours'][number] | undefined>(
    (most, hour) => (most === undefined || hour.asked > most.asked ? hour : most),
    undefined,
  );
  if (busiest === undefined) return 'No request came in this time.';
  const missed = hours.filter(({ timed_out }) => timed_out > 0);
  const most = `Most requests come on ${weekdayName(busiest.weekday)} from ${hourName(busiest.hour)}.`;
  if (missed.length === 0) return `${most} None timed out.`;
  const named = missed.slice(0, 5).map(({ weekday, hour }) => `${weekdayName(weekday)} ${hourName(hour)}`);
  const rest = missed.length - named.length;
  return `${most} Some timed out: ${named.join(', ')}${rest > 0 ? ` and at ${String(rest)} other hours` : ''}.`;
}

/** How strong a cell is drawn, in five steps; 0 for none. */
export const shadeOf = (asked: number, most: number): number =>
  asked === 0 || most === 0 ? 0 : Math.ceil((asked / most) * 4);
