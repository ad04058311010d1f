import { useQuery } from '@tanstack/react-query';
import { Link, useSearch } from '@tanstack/react-router';
import { lazy, Suspense } from 'react';
import '../../styles/charts.css';
import '../../styles/overview.css';
import { getOverview, type Overview, overviewKey } from '../../api/overview.js';
import { LoadingTiles } from '../../components/loading.js';
import { EmptyState, ErrorState } from '../../components/notices.js';
import { PageHead } from '../../components/page-head.js';
import { zoneName } from '../../components/time.js';
import { secondsText, shareText } from '../../domain/overview-figures.js';
import { Health } from './health.js';
import { type OverviewRange, ranges } from './overview-search.js';

const Charts = lazy(async () => ({ default: (await import('./charts.js')).Charts }));

export function OverviewPage() {
  const { range = '14d' } = useSearch({ from: '/shell/overview' });
  const { data, error, refetch } = useQuery({
    queryKey: [...overviewKey, range],
    queryFn: ({ signal }) => getOverview(range, zoneName(), signal),
    placeholderData: (before) => before,
  });
  return (
    <>
      <PageHead
        title="Overview"
        lead={`The last ${ranges[range]}, ${zoneName()}`}
        actions={<RangeTabs range={range} />}
      />
      {data === undefined ? (
        error === null ? (
          <LoadingTiles />
        ) : (
          <ErrorState error={error} onRetry={() => void refetch()} />
        )
      ) : (
        <>
          <Figures overview={data} range={range} />
          {data.asked === 0 ? (
            <EmptyState icon="chart" title="No agent asked in this time">
              <span className="soft">The charts show how fast requests are decided and how they end.</span>
            </EmptyState>
          ) : (
            <Suspense fallback={<LoadingTiles />}>
              <Charts overview={data} />
            </Suspense>
          )}
        </>
      )}
      <Health />
    </>
  );
}

const RangeTabs = ({ range }: { readonly range: OverviewRange }) => (
  <nav className="tabs" aria-label="Range">
    {(Object.keys(ranges) as OverviewRange[]).map((one) => (
      <Link
        key={one}
        to="/overview"
        search={one === '14d' ? {} : { range: one }}
        {...(one === range ? { 'aria-current': true } : {})}
      >
        {ranges[one]}
      </Link>
    ))}
  </nav>
);

interface FiguresProps {
  readonly overview: Overview;
  readonly range: OverviewRange;
}

function Figures({ overview, range }: FiguresProps) {
  const { waiting, asked, median_seconds, p95_seconds, timed_out, denied } = overview;
  const of = `of ${asked.toLocaleString('en-US')}`;
  return (
    <dl className="kpis">
      <div className="kpi">
        <dt>Waiting now</dt>
        <dd>{waiting.total.toLocaleString('en-US')}</dd>
        <dd>
          {waiting.under_5_minutes} under 5 minutes, {waiting.escalated} escalated
        </dd>
      </div>
      <div className="kpi">
        <dt>Time to decide, median</dt>
        <dd>{secondsText(median_seconds)}</dd>
        <dd>{p95_seconds === null ? 'No decision yet' : `95 of 100 within ${secondsText(p95_seconds)}`}</dd>
      </div>
      <div className="kpi">
        <dt>Timed out, {ranges[range]}</dt>
        <dd>
          {shareText(timed_out, asked)} <span className="u">%</span>
        </dd>
        <dd>
          {timed_out.toLocaleString('en-US')} {of}
        </dd>
      </div>
      <div className="kpi">
        <dt>Denied, {ranges[range]}</dt>
        <dd>
          {shareText(denied, asked)} <span className="u">%</span>
        </dd>
        <dd>
          {denied.toLocaleString('en-US')} {of}
        </dd>
      </div>
    </dl>
  );
}
