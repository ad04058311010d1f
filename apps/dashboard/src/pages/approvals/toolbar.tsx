import { Link, useNavigate } from '@tanstack/react-router';
import { type RefObject, useEffect, useRef, useState } from 'react';
import { Icon } from '../../components/icon.js';
import { usePreferences } from '../../session/preferences.js';
import { useMayDecide } from '../../session/session-context.js';
import { isFiltered, type QueueSearch } from './queue-search.js';

interface ToolbarProps {
  readonly search: QueueSearch;
  readonly waiting: number | undefined;
  readonly field: RefObject<HTMLInputElement | null>;
  readonly onKeys: () => void;
}

const settlesAfterMs = 250;

/** Tabs, the filter, and who may decide; all of it stands in the address. */
export function Toolbar({ search, waiting, field, onKeys }: ToolbarProps) {
  const isDecided = search.tab === 'decided';
  const mayDecide = useMayDecide();
  const { keys } = usePreferences();
  const { tab: _, ...kept } = search;
  return (
    <div className="bar">
      <nav className="tabs" aria-label="Which requests">
        <Link
          to="/approvals"
          activeOptions={{ exact: true }}
          search={kept}
          {...(isDecided ? {} : { 'aria-current': true })}
        >
          Waiting{waiting === undefined ? '' : ` ${String(waiting)}`}
        </Link>
        <Link
          to="/approvals"
          activeOptions={{ exact: true }}
          search={{ ...kept, tab: 'decided' }}
          {...(isDecided ? { 'aria-current': true } : {})}
        >
          Decided
        </Link>
      </nav>
      <FilterField search={search} field={field} />
      {mayDecide && !isDecided ? <ShowSelect search={search} /> : null}
      {isFiltered(search) ? (
        <Link className="btn quiet" to="/approvals" search={isDecided ? { tab: 'decided' } : {}}>
          Clear filters
        </Link>
      ) : null}
      <span className="grow" />
      {keys ? (
        <span className="hint">
          {isDecided ? (
            'Newest first · '
          ) : (
            <>
              Soonest deadline first · <kbd>J</kbd> <kbd>K</kbd> move ·{' '}
            </>
          )}
          <button className="linklike" type="button" aria-haspopup="dialog" onClick={onKeys}>
            <kbd>?</kbd> all keys
          </button>
        </span>
      ) : null}
    </div>
  );
}

function FilterField({ search, field }: Pick<ToolbarProps, 'search' | 'field'>) {
  const navigate = useNavigate();
  const { q = '' } = search;
  const [typed, setTyped] = useState(q);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  const latest = useRef(search);
  useEffect(() => {
    latest.current = search;
    // While a person types, what they typed counts, and not the address that follows it.
    if (document.activeElement !== field.current) setTyped(q);
  }, [search, q, field]);
  useEffect(() => () => clearTimeout(timer.current), []);
  const type = (text: string) => {
    setTyped(text);
    clearTimeout(timer.current);
    timer.current = setTimeout(() => {
      const { q: _, ...rest } = latest.current;
      void navigate({ to: '/approvals', search: text === '' ? rest : { ...rest, q: text }, replace: true });
    }, settlesAfterMs);
  };
  return (
    <span className="field">
      <Icon name="search" />
      <input
        ref={field}
        type="search"
        aria-label="Filter requests"
        placeholder="Filter by agent, action, policy"
        maxLength={200}
        value={typed}
        onChange={(event) => type(event.currentTarget.value)}
      />
    </span>
  );
}

function ShowSelect({ search }: Pick<ToolbarProps, 'search'>) {
  const navigate = useNavigate();
  return (
    <select
      className="field"
      aria-label="Whose decisions"
      value={search.show ?? 'mine'}
      onChange={(event) => {
        const { show: _, ...rest } = search;
        void navigate({
          to: '/approvals',
          search: event.currentTarget.value === 'all' ? { ...rest, show: 'all' } : rest,
        });
      }}
    >
      <option value="mine">I can decide</option>
      <option value="all">All</option>
    </select>
  );
}
