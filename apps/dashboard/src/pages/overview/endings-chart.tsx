import { scaleBand, scaleLinear } from 'd3-scale';
import { stack } from 'd3-shape';
import { useId } from 'react';
import type { Overview } from '../../api/overview.js';
import {
  type Bucket,
  bucketName,
  type Ending,
  endings,
  endingsSummary,
} from '../../domain/overview-figures.js';
import { BucketTable } from './bucket-table.js';
import { Hatch, Plot } from './plot.js';
import { labelled } from './times-chart.js';

const [left, right, top, bottom] = [34, 510, 8, 150];

const classes: Readonly<Record<Ending, string>> = {
  approved: 'f1',
  denied: 'f2',
  timed_out: 'timed-out',
  released: 'f4',
  cancelled: 'withdrawn',
};

/** How many requests ended in which way, each day. */
export function EndingsChart({ overview }: { readonly overview: Overview }) {
  const { series, bucket, tz } = overview;
  const hatch = useId();
  const keys = endings.map(({ key }) => key);
  const total = (one: Bucket) => keys.reduce((sum, key) => sum + one[key], 0);
  const y = scaleLinear([0, Math.max(1, ...series.map(total))], [bottom, top]).nice(3);
  const x = scaleBand(
    series.map(({ start }) => start),
    [left, right],
  ).padding(0.25);
  const layers = stack<Bucket, Ending>().keys(keys)([...series]);
  const fill = (key: Ending) => (key === 'timed_out' ? { fill: `url(#${hatch})` } : {});
  return (
    <Plot
      question="How do requests end?"
      about={`Requests per ${bucket}`}
      summary={endingsSummary(overview)}
      viewBox="0 0 520 182"
      chart={
        <>
          <Hatch id={hatch} />
          {y.ticks(3).map((tick) =>
            Number.isInteger(tick) ? (
              <g key={tick}>
                <path className="grid" d={`M${String(left)} ${String(y(tick))}H${String(right)}`} />
                <text x={left - 8} y={y(tick) + 4} textAnchor="end">
                  {tick}
                </text>
              </g>
            ) : null,
          )}
          {layers.map((layer) =>
            layer.map(([from, to], i) =>
              to > from ? (
                <rect
                  key={`${layer.key}${String(i)}`}
                  className={classes[layer.key]}
                  x={x(layer[i]?.data.start ?? '') ?? left}
                  y={y(to)}
                  width={x.bandwidth()}
                  height={Math.max(0.5, y(from) - y(to) - (y(from) - y(to) > 3 ? 1 : 0))}
                  {...fill(layer.key)}
                />
              ) : null,
            ),
          )}
          {labelled(series).map(({ start }) => (
            <text key={start} x={(x(start) ?? left) + x.bandwidth() / 2} y={bottom + 22} textAnchor="middle">
              {bucketName(start, bucket, tz)}
            </text>
          ))}
        </>
      }
      legend={endings.map(({ key, name }) => (
        <span key={key}>
          <svg viewBox="0 0 12 12" aria-hidden="true">
            <rect x="1" y="1" width="10" height="10" rx="2" className={classes[key]} {...fill(key)} />
          </svg>
          {name}
          {key === 'timed_out' ? ' (hatched)' : ''}
        </span>
      ))}
      table={
        <BucketTable
          caption="How requests ended"
          overview={overview}
          columns={[
            ...endings.map(({ key, name }) => ({ name, cell: (one: Bucket) => one[key] })),
            { name: 'Still open', cell: ({ open }) => open },
          ]}
        />
      }
    />
  );
}
