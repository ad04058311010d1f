import { getRouteApi, Link } from '@tanstack/react-router';
import { useCallback, useEffect, useRef, useState } from 'react';
import type { Approval } from '../../api/types.js';
import { LoadingTiles } from '../../components/loading.js';
import { Banner, ErrorState } from '../../components/notices.js';
import { zoneName } from '../../components/time.js';
import { useKeys } from '../../components/use-keys.js';
import { useTitle } from '../../components/use-title.js';
import type { Outcome } from '../../domain/decision-outcome.js';
import { groupOf, plural } from '../../domain/time-left.js';
import { useClock } from '../../live/server-clock.js';
import { usePreferences } from '../../session/preferences.js';
import { useMayDecide } from '../../session/session-context.js';
import { LiveSign, NotLiveBanner } from '../../shell/live-status.js';
import { KeysDialog } from '../../shell/keys-dialog.js';
import { useWaitingCount } from '../../shell/shell.js';
import { DecidedList } from './decided-list.js';
import { FirstSteps } from './first-steps.js';
import { NothingWaiting } from './nothing-waiting.js';
import { filterOf, isFiltered, type QueueSearch } from './queue-search.js';
import { Toolbar } from './toolbar.js';
import { useHand } from './use-hand.js';
import { type Row, useQueue } from './use-queue.js';
import { useQueueNews } from './use-queue-news.js';
import { WaitingList } from './waiting-list.js';

const route = getRouteApi('/shell/approvals');

export function ApprovalsPage() {
  const search = route.useSearch();
  const waiting = useWaitingCount();
  const mayDecide = useMayDecide();
  const [isKeysOpen, setKeysOpen] = useState(false);
  const field = useRef<HTMLInputElement>(null);
  useTitle(waiting === undefined || waiting === 0 ? 'Approvals' : `${String(waiting)} waiting`);
  useKeys({ '?': () => setKeysOpen(true), '/': () => field.current?.focus() });
  return (
    <>
      <NotLiveBanner />
      <div className="top">
        <div>
          <h1>Approvals</h1>
          <Summary waiting={waiting} />
        </div>
        <LiveSign />
      </div>
      {mayDecide ? null : (
        <Banner icon="eye">
          <b>View only.</b> Your role is viewer. Members and admins decide; you see the same queue, live.
        </Banner>
      )}
      <Toolbar search={search} waiting={waiting} field={field} onKeys={() => setKeysOpen(true)} />
      {search.tab === 'decided' ? <DecidedList search={search} /> : <Waiting search={search} />}
      {isKeysOpen ? <KeysDialog onClose={() => setKeysOpen(false)} /> : null}
    </>
  );
}

const Summary = ({ waiting }: { readonly waiting: number | undefined }) => (
  <p>
    {waiting === undefined ? 'Loading' : waiting === 0 ? 'Nothing is waiting' : `${String(waiting)} waiting`}{' '}
    · times in {zoneName()}
  </p>
);

function Waiting({ search }: { readonly search: QueueSearch }) {
  const mayDecide = useMayDecide();
  const { density } = usePreferences();
  const area = useRef<HTMLDivElement>(null);
  const hand = useHand(area);
  const queue = useQueue(filterOf(search, mayDecide), hand);
  const { query, rows, held, showHeld, addReceipt, total, hidden, counts } = queue;
  const [selectedId, setSelectedId] = useState<string | null>(null);
  const { fetchNextPage, hasNextPage, isFetchingNextPage } = query;
  useQueueNews(rows, query.isSuccess);

  const more = useCallback(() => {
    if (hasNextPage && !isFetchingNextPage) void fetchNextPage();
  }, [hasNextPage, isFetchingNextPage, fetchNextPage]);
  useQueueKeys({ rows, selectedId, onSelect: setSelectedId, onShow: showHeld });

  const latestRows = useRef<readonly Row[]>(rows);
  useEffect(() => {
    latestRows.current = rows;
  });
  const outcome = useCallback(
    (approval: Approval, result: Outcome, decided?: Approval) => {
      const next = nextWaiting(latestRows.current, approval.id);
      addReceipt(decided ?? approval, result);
      // Never to a button: a second press of Enter must not decide the next request.
      if (next !== null)
        requestAnimationFrame(() => {
          setSelectedId(next);
          focusTitle(next);
        });
    },
    [addReceipt],
  );

  if (query.isPending) return <LoadingTiles />;
  if (query.data === undefined)
    return <ErrorState error={query.error} onRetry={() => void query.refetch()} />;
  return (
    <div ref={area}>
      {held.length === 0 ? null : <HeldBanner held={held} onShow={showHeld} />}
      {rows.length === 0 ? (
        <NothingWaiting isFiltered={isFiltered(search)} hidden={hidden} />
      ) : (
        <WaitingList
          rows={rows}
          total={total}
          counts={counts}
          selectedId={selectedId}
          isCompact={density === 'compact'}
          hasMore={hasNextPage}
          onMore={more}
          onOutcome={outcome}
        />
      )}
      {isFiltered(search) ? null : <FirstSteps waiting={rows.length} hidden={hidden} />}
      {hidden > 0 && rows.length > 0 ? (
        <p className="hidden-note">
          {plural(hidden, 'other request')} that you cannot decide {hidden === 1 ? 'is' : 'are'} hidden.{' '}
          <Link to="/approvals" search={{ ...search, show: 'all' }}>
            Show all
          </Link>
        </p>
      ) : null}
    </div>
  );
}

function HeldBanner({ held, onShow }: { readonly held: readonly Approval[]; readonly onShow: () => void }) {
  const urgent = useClock(
    (now) =>
      held.filter(({ timeout_at }) => groupOf(Date.parse(timeout_at) - now) === 'under_5_minutes').length,
  );
  return (
    <Banner
      icon="inbox"
      action={
        <button className="btn" type="button" onClick={onShow}>
          Show
        </button>
      }
    >
      <b>{plural(held.length, 'new request')}</b>
      {urgent === 0 ? '' : `, ${urgent === 1 ? 'one' : String(urgent)} under 5 minutes`}
    </Banner>
  );
}

function nextWaiting(rows: readonly Row[], id: string): string | null {
  const at = rows.findIndex(({ approval }) => approval.id === id);
  const open = (row: Row) => row.outcome === null && row.approval.id !== id;
  return (rows.slice(at + 1).find(open) ?? rows.slice(0, at).findLast(open))?.approval.id ?? null;
}

const focusTitle = (id: string) => {
  const title = document.getElementById(`t-${id}`);
  title?.focus();
  title?.closest('article')?.scrollIntoView({ block: 'nearest' });
};

interface QueueKeys {
  readonly rows: readonly Row[];
  readonly selectedId: string | null;
  readonly onSelect: (id: string) => void;
  readonly onShow: () => void;
}

/** Keys of the queue. They move the focus and open dialogs; none decides. */
function useQueueKeys({ rows, selectedId, onSelect, onShow }: QueueKeys): void {
  const waiting = rows.filter(({ outcome }) => outcome === null).map(({ approval }) => approval.id);
  const current = () =>
    document.activeElement?.closest('article')?.getAttribute('data-id') ?? selectedId ?? undefined;
  const move = (by: 1 | -1) => () => {
    const at = waiting.indexOf(current() ?? '');
    const next = waiting[at < 0 ? 0 : Math.max(0, Math.min(waiting.length - 1, at + by))];
    if (next === undefined) return;
    onSelect(next);
    focusTitle(next);
  };
  const act = (name: 'approve' | 'deny' | 'forever') => () => {
    const id = current() ?? waiting[0];
    if (id === undefined) return;
    const button = document.querySelector<HTMLButtonElement>(
      `article[data-id="${CSS.escape(id)}"] button[data-act="${name}"]`,
    );
    if (button === null) return;
    onSelect(id);
    button.focus();
    if (name !== 'approve') button.click();
  };
  useKeys({
    j: move(1),
    ArrowDown: move(1),
    k: move(-1),
    ArrowUp: move(-1),
    a: act('approve'),
    d: act('deny'),
    f: act('forever'),
    n: onShow,
  });
}
