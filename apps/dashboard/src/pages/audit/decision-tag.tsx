import type { AuditEvent } from '@agentlattice/contracts';
import { Icon, type IconName } from '../../components/icon.js';

const decisions: Readonly<Record<string, readonly [string, string, IconName]>> = {
  executed: ['Allowed', 'ok', 'check'],
  approved: ['Approved', 'ok', 'check'],
  denied: ['Denied', 'bad', 'x'],
  requested: ['Asked a person', 'flat', 'inbox'],
  escalated: ['Escalated', 'esc', 'up'],
  timed_out: ['Timed out', 'warn', 'clock'],
  cancelled: ['Withdrawn', 'flat', 'x'],
};

/** What an entry decided, by a word and an icon, and why it was denied. */
export function DecisionTag({ event: { decision, denial_reason } }: { readonly event: AuditEvent }) {
  if (decision === null) return <span className="soft">None</span>;
  const [name, tone, icon] = decisions[decision] ?? [decision, 'flat', 'log'];
  return (
    <>
      <span className={`tag ${tone}`}>
        <Icon name={icon} />
        {name}
      </span>
      {denial_reason === null ? null : <code className="sub">{denial_reason}</code>}
    </>
  );
}
