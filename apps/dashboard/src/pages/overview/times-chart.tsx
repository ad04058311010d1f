import { scaleLinear, scalePoint } from 'd3-scale';
import { line } from 'd3-shape';
import type { Overview } from '../../api/overview.js';
import {
  type Bucket,
  bucketName,
  secondsText,
  timesSummary,
  timeUnit,
} from '../../domain/overview-figures.js';
import { BucketTable } from './bucket-table.js';
import { Plot } from './plot.js';

const [left, right, top, bottom] = [34, 474, 12, 196];

/** Half and 95 of 100 decisions, against the time that the policies give. */
export function TimesChart({ overview }: { readonly overview: Overview }) {
  const { series, bucket, tz } = overview;
  const values = series.flatMap(({ p95_seconds, median_seconds }) => [p95_seconds ?? 0, median_seconds ?? 0]);
  const timeouts = series.flatMap(({ timeout_seconds }) =>
    timeout_seconds === null ? [] : [timeout_seconds],
  );
  const timeout = timeouts.at(-1) ?? null;
  const decided = Math.max(0, ...values);
  // A timeout far above everything would flatten the lines; then it is said, and not drawn.
  const isTimeoutNear = timeout !== null && timeout <= Math.max(decided * 4, 60);
  const unit = timeUnit(Math.max(decided, isTimeoutNear ? timeout : 0));
  const most =
    Math.max(decided, isTimeoutNear ? timeout : 0, unit.seconds === 1 ? 10 : unit.seconds) / unit.seconds;
  const y = scaleLinear([0, most], [bottom, top]).nice(4);
  const x = scalePoint(
    series.map(({ start }) => start),
    [left, right],
  );
  const path = (read: (one: Bucket) => number | null) =>
    line<Bucket>()
      .defined((one) => read(one) !== null)
      .x(({ start }) => x(start) ?? left)
      .y((one) => y((read(one) ?? 0) / unit.seconds))(series) ?? '';
  const lines = [
    { name: '95 %', className: 'ln s4', read: (one: Bucket) => one.p95_seconds },
    { name: 'half', className: 'ln s1', read: (one: Bucket) => one.median_seconds },
  ];
  const timeoutName = timeout === null ? '' : `timeout, ${secondsText(timeout)}`;
  return (
    <Plot
      question="Do we decide in time?"
      about={`${unit.name[0]?.toUpperCase() ?? ''}${unit.name.slice(1)} from request to decision, each ${bucket}${
        timeout === null || isTimeoutNear ? '' : `; the ${timeoutName.replace(',', ' of')} is far above`
      }`}
      summary={timesSummary(overview)}
      viewBox="0 0 520 228"
      chart={
        <>
          {y.ticks(4).map((tick) => (
            <g key={tick}>
              <path className="grid" d={`M${String(left)} ${String(y(tick))}H${String(right)}`} />
              <text x={left - 8} y={y(tick) + 4} textAnchor="end">
                {tick}
              </text>
            </g>
          ))}
          {isTimeoutNear ? (
            <>
              <path
                className="limit"
                d={`M${String(left)} ${String(y(timeout / unit.seconds))}H${String(right)}`}
              />
              <text className="limit-name" x={left + 4} y={y(timeout / unit.seconds) - 5}>
                {timeoutName}
              </text>
            </>
          ) : null}
          {lines.map(({ name, className, read }) => (
            <path key={name} className={className} d={path(read)} />
          ))}
          {lines.map(({ name, className, read }) => (
            <g key={name}>
              {series.map((one, i) =>
                // A value between two gaps has no line.
                read(one) !== null && (series[i - 1] === undefined || read(series[i - 1] ?? one) === null) ? (
                  <circle
                    key={one.start}
                    className={className.replace('ln s', 'f')}
                    cx={x(one.start) ?? left}
                    cy={y((read(one) ?? 0) / unit.seconds)}
                    r="2.5"
                  />
                ) : null,
              )}
            </g>
          ))}
          <EndLabels lines={lines} series={series} at={(seconds) => y(seconds / unit.seconds)} />
          {labelled(series).map(({ start }) => (
            <text key={start} x={x(start) ?? left} y={bottom + 22} textAnchor="middle">
              {bucketName(start, bucket, tz)}
            </text>
          ))}
        </>
      }
      table={
        <BucketTable
          caption="Time to decide"
          overview={overview}
          columns={[
            { name: 'Asked', cell: ({ asked }) => asked },
            { name: 'Half within', cell: ({ median_seconds }) => secondsText(median_seconds) },
            { name: '95 of 100 within', cell: ({ p95_seconds }) => secondsText(p95_seconds) },
            { name: 'Timeout', cell: ({ timeout_seconds }) => secondsText(timeout_seconds) },
          ]}
        />
      }
    />
  );
}

interface EndLabelsProps {
  readonly lines: readonly { readonly name: string; readonly read: (one: Bucket) => number | null }[];
  readonly series: readonly Bucket[];
  readonly at: (seconds: number) => number;
}

/** The names of the lines at their ends, apart enough to be read. */
function EndLabels({ lines, series, at }: EndLabelsProps) {
  // From the lowest line up, so that no name slips into the names of the days.
  let highest = bottom;
  return [...lines].reverse().map(({ name, read }) => {
    const last = series.findLast((one) => read(one) !== null);
    if (last === undefined) return null;
    const place = Math.min(at(read(last) ?? 0) + 4, highest);
    highest = place - 13;
    return (
      <text key={name} className="v" x={right + 6} y={place}>
        {name}
      </text>
    );
  });
}

/** About four of them, with the first and the last. */
export function labelled<T>(items: readonly T[]): readonly T[] {
  const last = items.length - 1;
  const step = Math.max(1, Math.ceil(last / 3));
  return items.filter((_, i) => i === last || (i % step === 0 && last - i >= step / 2));
}
