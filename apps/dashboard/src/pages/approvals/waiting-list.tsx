import { useWindowVirtualizer } from '@tanstack/react-virtual';
import { startTransition, useEffect, useRef, useState } from 'react';
import type { Approval } from '../../api/types.js';
import type { Outcome } from '../../domain/decision-outcome.js';
import { type DeadlineGroup, groupOf } from '../../domain/time-left.js';
import { useClock } from '../../live/server-clock.js';
import { Receipt } from '../../requests/receipt.js';
import { Tile } from './tile.js';
import type { Row } from './use-queue.js';

/** Up to here all tiles are in the page, so that the browser's own search finds everything. */
const plainUpTo = 100;
/** More than a screen holds. They are drawn first; on a phone a hundred take a second. */
const firstTiles = 8;

const groupNames: Readonly<Record<DeadlineGroup, string>> = {
  under_5_minutes: 'Under 5 minutes',
  under_1_hour: 'Under 1 hour',
  later: 'Later',
};
const groups: readonly DeadlineGroup[] = ['under_5_minutes', 'under_1_hour', 'later'];

export interface WaitingListProps {
  readonly rows: readonly Row[];
  readonly total: number;
  readonly counts: Readonly<Record<DeadlineGroup, number>> | undefined;
  readonly selectedId: string | null;
  readonly isCompact: boolean;
  readonly hasMore: boolean;
  readonly onMore: () => void;
  readonly onOutcome: (approval: Approval, outcome: Outcome, decided?: Approval) => void;
}

interface Grouped {
  readonly group: DeadlineGroup;
  readonly rows: readonly Row[];
}

function useGroups(rows: readonly Row[]): readonly Grouped[] {
  // The rows are in the order of their deadlines, so two numbers say where the groups end.
  const ends = useClock((now) => {
    const left = rows.map(({ approval }) => groupOf(Date.parse(approval.timeout_at) - now));
    return groups.map((group) => left.filter((other) => other === group).length).join(',');
  });
  let from = 0;
  return ends.split(',').map((count, i) => {
    const part = rows.slice(from, (from += Number(count)));
    return { group: groups[i] ?? 'later', rows: part };
  });
}

export function WaitingList(props: WaitingListProps) {
  const grouped = useGroups(props.rows).filter(({ rows }) => rows.length > 0);
  return props.rows.length > plainUpTo ? (
    <WindowedList {...props} grouped={grouped} />
  ) : (
    <PlainList {...props} grouped={grouped} />
  );
}

type ListProps = WaitingListProps & { readonly grouped: readonly Grouped[] };

const GroupHeading = ({ group, count }: { readonly group: DeadlineGroup; readonly count: number }) => (
  <h2>
    {groupNames[group]} <span>{count}</span>
  </h2>
);

function PlainList({ grouped, rows: all, counts, hasMore, onMore, ...rest }: ListProps) {
  const [isWhole, setWhole] = useState(all.length <= firstTiles);
  useEffect(() => startTransition(() => setWhole(true)), []);
  let left = isWhole ? all.length : firstTiles;
  return (
    <>
      {grouped.map(({ group, rows }) => {
        const drawn = rows.slice(0, left);
        left -= drawn.length;
        return (
          <section className="group" key={group}>
            <GroupHeading group={group} count={hasMore ? (counts?.[group] ?? rows.length) : rows.length} />
            <div className="list">
              {drawn.map((row) => (
                <RowView key={row.approval.id} row={row} {...rest} />
              ))}
            </div>
          </section>
        );
      })}
      {hasMore && isWhole ? <More onMore={onMore} /> : null}
    </>
  );
}

type Item =
  | { readonly kind: 'heading'; readonly group: DeadlineGroup; readonly count: number }
  | { readonly kind: 'row'; readonly row: Row; readonly position: number };

/** Only what is on the screen is in the page; the rest is known by its number (`role="feed"`). */
function WindowedList({ grouped, rows, counts, total, hasMore, onMore, ...rest }: ListProps) {
  const list = useRef<HTMLDivElement>(null);
  let position = 0;
  const items = grouped.flatMap<Item>(({ group, rows }) => [
    { kind: 'heading', group, count: counts?.[group] ?? rows.length },
    ...rows.map((row): Item => ({ kind: 'row', row, position: (position += 1) })),
  ]);
  const virtualizer = useWindowVirtualizer({
    count: items.length,
    estimateSize: (i) => (items[i]?.kind === 'heading' ? 44 : rest.isCompact ? 150 : 220),
    overscan: 4,
    scrollMargin: list.current?.offsetTop ?? 0,
    getItemKey: (i) => {
      const item = items[i];
      return item?.kind === 'row' ? item.row.approval.id : (item?.group ?? i);
    },
  });
  const visible = virtualizer.getVirtualItems();
  const last = visible.at(-1)?.index ?? 0;
  useEffect(() => {
    if (hasMore && last >= items.length - 20) onMore();
  }, [hasMore, last, items.length, onMore]);
  return (
    <div
      ref={list}
      role="feed"
      aria-label="Waiting requests"
      className="windowed"
      style={{ height: virtualizer.getTotalSize() }}
    >
      {visible.map(({ index, key, start }) => {
        const item = items[index];
        if (item === undefined) return null;
        return (
          <div
            key={key}
            ref={virtualizer.measureElement}
            data-index={index}
            className="windowed-item"
            style={{ transform: `translateY(${String(start - virtualizer.options.scrollMargin)}px)` }}
          >
            {item.kind === 'heading' ? (
              <div className="group">
                <GroupHeading group={item.group} count={item.count} />
              </div>
            ) : (
              <RowView
                row={item.row}
                position={item.position}
                setSize={Math.max(total, rows.length)}
                {...rest}
              />
            )}
          </div>
        );
      })}
    </div>
  );
}

type RowProps = Pick<WaitingListProps, 'selectedId' | 'isCompact' | 'onOutcome'> & {
  readonly row: Row;
  readonly position?: number;
  readonly setSize?: number;
};

function RowView({ row, selectedId, isCompact, onOutcome, position, setSize }: RowProps) {
  const { approval, outcome, isLeaving } = row;
  if (outcome !== null) return <Receipt approval={approval} outcome={outcome} />;
  return (
    <Tile
      approval={approval}
      isSelected={selectedId === approval.id}
      isLeaving={isLeaving}
      isCompact={isCompact}
      onOutcome={onOutcome}
      position={position}
      setSize={setSize}
    />
  );
}

/** Asks for the next page when the end of the list comes into view. */
function More({ onMore }: { readonly onMore: () => void }) {
  const end = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (end.current === null) return;
    const observer = new IntersectionObserver(
      (entries) => {
        if (entries.some(({ isIntersecting }) => isIntersecting)) onMore();
      },
      // Before the reader is there.
      { rootMargin: '1000px' },
    );
    observer.observe(end.current);
    return () => observer.disconnect();
  }, [onMore]);
  return <div ref={end} className="more" aria-hidden="true" />;
}
