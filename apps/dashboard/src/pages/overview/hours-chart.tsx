import { scaleBand } from 'd3-scale';
import type { Overview } from '../../api/overview.js';
import { Table } from '../../components/table.js';
import { hoursSummary, shadeOf, weekdayName } from '../../domain/overview-figures.js';
import { Plot } from './plot.js';

type Cell = Overview['hours'][number];

const weekdays = [1, 2, 3, 4, 5, 6, 7];
const hours = Array.from({ length: 24 }, (_, hour) => hour);
const x = scaleBand(hours, [42, 512]).padding(0.16);
const y = scaleBand(weekdays, [4, 180]).padding(0.14);

/** Requests by weekday and hour; a cross where one timed out. */
export function HoursChart({ overview }: { readonly overview: Overview }) {
  const most = Math.max(0, ...overview.hours.map(({ asked }) => asked));
  const at = new Map(overview.hours.map((cell) => [`${String(cell.weekday)} ${String(cell.hour)}`, cell]));
  const cells = weekdays.flatMap((weekday) =>
    hours.map(
      (hour) => at.get(`${String(weekday)} ${String(hour)}`) ?? { weekday, hour, asked: 0, timed_out: 0 },
    ),
  );
  return (
    <Plot
      question="When do they come, and is anyone there?"
      about={`Requests by weekday and hour, ${overview.tz}`}
      summary={hoursSummary(overview)}
      viewBox="0 0 520 212"
      chart={
        <>
          {weekdays.map((weekday) => (
            <text key={weekday} x={34} y={(y(weekday) ?? 0) + y.bandwidth() / 2 + 4} textAnchor="end">
              {weekdayName(weekday).slice(0, 3)}
            </text>
          ))}
          {cells.map(({ weekday, hour, asked }) => (
            <rect
              key={`${String(weekday)} ${String(hour)}`}
              className={`cell shade-${String(shadeOf(asked, most))}`}
              x={x(hour) ?? 0}
              y={y(weekday) ?? 0}
              width={x.bandwidth()}
              height={y.bandwidth()}
              rx="2"
            />
          ))}
          {cells
            .filter(({ timed_out }) => timed_out > 0)
            .map(({ weekday, hour }) => (
              <path
                key={`${String(weekday)} ${String(hour)}`}
                className="cross"
                d={`M${String((x(hour) ?? 0) + 4)} ${String((y(weekday) ?? 0) + 7)}l8.5 8.5m0 -8.5l-8.5 8.5`}
              />
            ))}
          {[0, 6, 12, 18, 23].map((hour) => (
            <text key={hour} x={(x(hour) ?? 0) + x.bandwidth() / 2} y={202} textAnchor="middle">
              {hour}:00
            </text>
          ))}
        </>
      }
      legend={
        <>
          <span>
            <svg viewBox="0 0 12 12" aria-hidden="true">
              <path className="cross" d="M2 2l8 8m0-8l-8 8" />
            </svg>
            timed out with nobody there
          </span>
          <span>stronger colour is more requests</span>
        </>
      }
      table={
        <Table<Cell>
          caption="Requests by weekday and hour"
          rows={[...overview.hours].sort((a, b) => a.weekday - b.weekday || a.hour - b.hour)}
          keyOf={({ weekday, hour }) => `${String(weekday)} ${String(hour)}`}
          columns={[
            {
              name: 'Time',
              header: true,
              cell: ({ weekday, hour }) => `${weekdayName(weekday)} ${String(hour)}:00`,
            },
            { name: 'Asked', cell: ({ asked }) => asked },
            { name: 'Timed out', cell: ({ timed_out }) => timed_out },
          ]}
        />
      }
    />
  );
}
