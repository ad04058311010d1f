import { agoText } from '../domain/time-left.js';
import { useClock } from '../live/server-clock.js';

const exactly = new Intl.DateTimeFormat(undefined, {
  dateStyle: 'medium',
  timeStyle: 'long',
  hourCycle: 'h23',
});
const ofDay = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' });
const ofDaySeconds = new Intl.DateTimeFormat(undefined, {
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
  hourCycle: 'h23',
});
const dayAndTime = new Intl.DateTimeFormat(undefined, {
  dateStyle: 'medium',
  timeStyle: 'short',
  hourCycle: 'h23',
});

/** `14:32`, in the reader's zone; with the date when it is another day. */
export function clockText(instant: string, now: number, seconds = false): string {
  const date = new Date(instant);
  const today = new Date(now).toDateString() === date.toDateString();
  if (!today) return dayAndTime.format(date);
  return (seconds ? ofDaySeconds : ofDay).format(date);
}

/** The reader's time zone, named once on each page. */
export const zoneName = (): string => Intl.DateTimeFormat().resolvedOptions().timeZone;

interface TimeProps {
  /** RFC 3339. */
  readonly at: string;
  /** `ago`: how long since; `clock`: the time of day; `exact`: date and time. */
  readonly show?: 'ago' | 'clock' | 'exact';
}

/** A time of the past. The exact time is shown on hover and on focus. */
export function Time({ at, show = 'ago' }: TimeProps) {
  const text = useClock((now) =>
    show === 'ago'
      ? agoText(now - Date.parse(at))
      : show === 'clock'
        ? clockText(at, now)
        : dayAndTime.format(new Date(at)),
  );
  return (
    <time dateTime={at} title={exactly.format(new Date(at))}>
      {text}
    </time>
  );
}
