import { Link } from '@tanstack/react-router';
import { Icon } from '../../components/icon.js';
import { useTitle } from '../../components/use-title.js';
import { navGroups } from '../../shell/nav-entries.js';
import { AccountActions } from '../../shell/person-menu.js';

/** What does not fit into the bar of a phone. */
export function MorePage() {
  useTitle('More');
  return (
    <>
      <div className="top">
        <h1>More</h1>
      </div>
      <ul className="card links">
        {navGroups
          .flat()
          .filter(({ phone }) => phone !== true)
          .map(({ to, name, icon }) => (
            <li key={to}>
              <Link to={to}>
                <Icon name={icon} />
                {name} page
              </Link>
            </li>
          ))}
      </ul>
      <AccountActions />
    </>
  );
}
