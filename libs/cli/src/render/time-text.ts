const units = [
  ['d', 86_400],
  ['h', 3_600],
  ['m', 60],
  ['s', 1],
] as const;

/** A time span as its two largest parts: `2d 3h`, `1h 05m`, `45s`. */
export function spanText(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1_000));
  const at = units.findIndex(([, size]) => seconds >= size);
  const first = units[at === -1 ? units.length - 1 : at] ?? units[3];
  const [unit, size] = first;
  const second = at === -1 ? undefined : units[at + 1];
  const text = `${String(Math.floor(seconds / size))}${unit}`;
  const rest = second === undefined ? 0 : Math.floor((seconds % size) / second[1]);
  return second === undefined || rest === 0 ? text : `${text} ${String(rest).padStart(2, '0')}${second[0]}`;
}

/** An instant in the reader's own time zone, to the second. */
export const clockText = (instant: string): string =>
  new Date(instant).toLocaleString('sv-SE', {
    ...({ year: 'numeric', month: '2-digit', day: '2-digit' } as const),
    ...({ hour: '2-digit', minute: '2-digit', second: '2-digit', timeZoneName: 'short' } as const),
  });
