import type { Approval } from '../api/types.js';
import { Icon, type IconName } from '../components/icon.js';

const ends: Readonly<Record<Approval['status'], readonly [string, string, IconName]>> = {
  pending: ['Waiting', 'flat', 'clock'],
  escalated: ['Waiting', 'flat', 'clock'],
  approved: ['Approved', 'ok', 'check'],
  denied: ['Denied', 'bad', 'x'],
  timed_out: ['Timed out', 'warn', 'clock'],
  cancelled: ['Withdrawn', 'flat', 'x'],
};

/** How a request ended, by a word and an icon. */
export function EndTag({
  approval: { status, scope },
}: {
  readonly approval: Pick<Approval, 'status' | 'scope'>;
}) {
  const [name, tone, icon] = ends[status];
  return (
    <span className={`tag ${tone}`}>
      <Icon name={icon} />
      {name}
      {scope === 'forever' ? ' forever' : ''}
    </span>
  );
}
