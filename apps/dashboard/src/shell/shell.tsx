import { useQuery } from '@tanstack/react-query';
import { Link, Outlet, useNavigate, useRouterState } from '@tanstack/react-router';
import { useEffect, useRef } from 'react';
import { approvalsKey, listApprovals } from '../api/approvals.js';
import { Announcer } from '../components/announcer.js';
import { Icon } from '../components/icon.js';
import { useKeys } from '../components/use-keys.js';
import { LiveProvider } from '../live/live-provider.js';
import { SessionGate } from '../session/session-context.js';
import { BrandMark } from './brand.js';
import { navGroups, type NavEntry } from './nav-entries.js';
import { PasswordNotice } from './password-notice.js';
import { PersonMenu } from './person-menu.js';
import { SessionEnd } from './session-end.js';

/** The frame around every page of a signed-in person. */
export function Shell() {
  return (
    <SessionGate>
      <LiveProvider>
        <Announcer>
          <Frame />
        </Announcer>
      </LiveProvider>
    </SessionGate>
  );
}

/** How many requests wait in the workspace; kept up to date by live events. */
export function useWaitingCount(): number | undefined {
  return (
    useQuery({
      queryKey: [...approvalsKey, 'count'],
      queryFn: async ({ signal }) =>
        (await listApprovals({ status: 'pending' }, { limit: 1 }, signal)).total ?? null,
    }).data ?? undefined
  );
}

function Frame() {
  const waiting = useWaitingCount();
  const path = useRouterState({ select: ({ location }) => location.pathname });
  const navigate = useNavigate();
  const go = (to: string) => () => void navigate({ to });
  useKeys({ 'g a': go('/approvals'), 'g o': go('/overview'), 'g l': go('/audit'), 'g p': go('/policies') });
  const main = useRef<HTMLElement>(null);
  const isFirst = useRef(true);
  useEffect(() => {
    // After a change of page the focus is at its begin, as after a load; not at the first page, where nothing was left.
    if (isFirst.current) isFirst.current = false;
    else main.current?.focus({ preventScroll: true });
  }, [path]);
  return (
    <div className="app">
      <a className="skip" href="#main">
        Skip to main content
      </a>
      <header className="side">
        <Link className="brand" to="/approvals" aria-label="AgentLattice home">
          <BrandMark />
          <span>AgentLattice</span>
        </Link>
        <nav aria-label="Main">
          {navGroups.map((entries, i) => (
            <ul key={i}>
              {entries.map((entry) => (
                <NavItem
                  key={entry.to}
                  entry={entry}
                  isCurrent={path === entry.to || path.startsWith(`${entry.to}/`)}
                  count={entry.to === '/approvals' ? waiting : undefined}
                />
              ))}
              {i === navGroups.length - 1 ? (
                <NavItem
                  entry={{ to: '/more', name: 'More', icon: 'more', phone: true }}
                  isCurrent={path === '/more'}
                  onlyOnPhone
                />
              ) : null}
            </ul>
          ))}
        </nav>
        <PersonMenu />
      </header>
      <main id="main" tabIndex={-1} ref={main}>
        <SessionEnd />
        <PasswordNotice />
        <Outlet />
      </main>
    </div>
  );
}

/** The page says how many there are. */
const mostShown = 999;

interface NavItemProps {
  readonly entry: NavEntry;
  readonly isCurrent: boolean;
  readonly count?: number | undefined;
  readonly onlyOnPhone?: boolean;
}

function NavItem({ entry, isCurrent, count = 0, onlyOnPhone = false }: NavItemProps) {
  const className = onlyOnPhone ? 'only-phone' : entry.phone === true ? '' : 'desk';
  return (
    <li className={className}>
      <Link to={entry.to} {...(isCurrent ? { 'aria-current': 'page' } : {})}>
        <Icon name={entry.icon} />
        <span className="t">{entry.name}</span>
        {count > 0 ? (
          <span className="n" aria-hidden="true">
            {count > mostShown ? `${String(mostShown)}+` : count}
          </span>
        ) : null}
      </Link>
    </li>
  );
}
