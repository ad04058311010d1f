const second = 1_000;
const minute = 60 * second;
const hour = 60 * minute;
const day = 24 * hour;

export type Urgency = 'calm' | 'soon' | 'now';
export type DeadlineGroup = 'under_5_minutes' | 'under_1_hour' | 'later';

/** Rounded down: `2 d 3 h`, `7 h 40 min`, `24 min`, and below ten minutes `4:10`. */
export function timeLeftText(ms: number): string {
  const left = Math.max(0, ms);
  if (left >= day) return joined(left, day, 'd', hour, 'h');
  if (left >= hour) return joined(left, hour, 'h', minute, 'min');
  if (left >= 10 * minute) return `${String(Math.floor(left / minute))} min`;
  const seconds = Math.floor((left % minute) / second);
  return `${String(Math.floor(left / minute))}:${String(seconds).padStart(2, '0')}`;
}

/** The same for ears: `4 minutes 10 seconds`. */
export function timeLeftSpoken(ms: number): string {
  const left = Math.max(0, ms);
  const parts: [number, string][] =
    left >= day
      ? [
          [Math.floor(left / day), 'day'],
          [Math.floor((left % day) / hour), 'hour'],
        ]
      : left >= hour
        ? [
            [Math.floor(left / hour), 'hour'],
            [Math.floor((left % hour) / minute), 'minute'],
          ]
        : left >= 10 * minute
          ? [[Math.floor(left / minute), 'minute']]
          : [
              [Math.floor(left / minute), 'minute'],
              [Math.floor((left % minute) / second), 'second'],
            ];
  const spoken = parts
    .filter(([count], i) => count > 0 || i === parts.length - 1)
    .map(([count, unit]) => plural(count, unit));
  return spoken.join(' ');
}

/** A duration in one short text: `30 min`, `8 h`, `1 h 30 min`, `45 s`. */
export function durationText(ms: number): string {
  const rounded = Math.max(0, Math.round(ms / second) * second);
  if (rounded >= day) return joined(rounded, day, 'd', hour, 'h');
  if (rounded >= hour) return joined(rounded, hour, 'h', minute, 'min');
  if (rounded >= minute) return joined(rounded, minute, 'min', second, 's');
  return `${String(rounded / second)} s`;
}

/** *Soon*: under 5 minutes or half of the window, whichever is less. *Now*: under 2 minutes or a fifth of it. */
export function urgencyOf(leftMs: number, windowMs: number): Urgency {
  if (leftMs < Math.min(2 * minute, windowMs / 5)) return 'now';
  return leftMs < Math.min(5 * minute, windowMs / 2) ? 'soon' : 'calm';
}

export function groupOf(leftMs: number): DeadlineGroup {
  if (leftMs < 5 * minute) return 'under_5_minutes';
  return leftMs < hour ? 'under_1_hour' : 'later';
}

/** `28 min ago`; the exact time stands beside it on hover. */
export function agoText(ms: number): string {
  if (ms < minute) return 'just now';
  if (ms < hour) return `${String(Math.floor(ms / minute))} min ago`;
  if (ms < day) return `${String(Math.floor(ms / hour))} h ago`;
  const days = Math.floor(ms / day);
  return days === 1 ? '1 day ago' : `${String(days)} days ago`;
}

export const plural = (count: number, unit: string): string =>
  `${count.toLocaleString('en-US')} ${unit}${count === 1 ? '' : 's'}`;

function joined(ms: number, large: number, largeUnit: string, small: number, smallUnit: string): string {
  const rest = Math.floor((ms % large) / small);
  const whole = `${String(Math.floor(ms / large))} ${largeUnit}`;
  return rest === 0 ? whole : `${whole} ${String(rest)} ${smallUnit}`;
}
