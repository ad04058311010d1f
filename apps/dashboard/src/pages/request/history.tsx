import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import type { Approval } from '../../api/types.js';
import { HostileText } from '../../components/hostile-text.js';
import { Icon, type IconName } from '../../components/icon.js';
import { Time } from '../../components/time.js';

type Item = Approval['history'][number];

const steps: Readonly<Record<string, readonly [IconName, string]>> = {
  'approval.opened': ['bot', 'asked'],
  'approval.escalated': ['up', 'Escalated'],
  'approval.vote_withdrawn': ['back', 'withdrew the vote'],
  'approval.approved': ['check', 'approved'],
  'approval.denied': ['x', 'denied'],
  'approval.timed_out': ['clock', 'Time ran out; the agent was denied'],
  'approval.cancelled': ['x', 'withdrew the request'],
  'approval.policy_changed': ['rule', 'The policy was changed'],
  'approval.grant_consumed': ['shield', 'The grant was used'],
};

const byAgent = new Set(['approval.opened', 'approval.cancelled']);

/** All steps of the request, oldest first; all of them stand in the audit log. */
export function History({ approval }: { readonly approval: Approval }) {
  const { history, history_truncated, id } = approval;
  return (
    <section className="card" aria-labelledby="history">
      <h2 id="history">
        History{' '}
        <Link className="aside" to="/audit" search={{ approval_id: id }}>
          In the audit log
        </Link>
      </h2>
      {history_truncated === true ? <p className="fine">Older steps are in the audit log.</p> : null}
      <ol className="tl">
        {history.map((item, i) => (
          <Step key={i} item={item} approval={approval} />
        ))}
      </ol>
    </section>
  );
}

function Step({ item, approval }: { readonly item: Item; readonly approval: Approval }) {
  const { type, reason, note } = item;
  const [icon, what] = bySystem(item) ?? steps[type] ?? votes(item, approval) ?? ['log', type];
  return (
    <li>
      <StepTime item={item} />
      <Icon name={icon} />
      <span>
        {who(item, approval)}
        {what}
        {reason === null || reason === '' ? null : (
          <>
            : “<HostileText text={reason} />”
          </>
        )}
        {note === null || note === '' ? null : (
          <>
            {' '}
            <span className="soft">
              (<HostileText text={note} />)
            </span>
          </>
        )}
      </span>
    </li>
  );
}

/** The time of a step leads to its entry in the audit log. */
function StepTime({ item: { event_id, at } }: { readonly item: Item }) {
  if (event_id === undefined) return <Time at={at} show="clock" />;
  return (
    <Link to="/audit/$seq" params={{ seq: event_id }} title="Its entry in the audit log">
      <Time at={at} show="clock" />
      <span className="sr"> Its entry in the audit log</span>
    </Link>
  );
}

function who({ type, operator }: Item, { agent }: Approval): ReactNode {
  const name = byAgent.has(type)
    ? agent.name
    : operator === null
      ? null
      : (operator.name ?? 'Another person');
  return name === null ? null : (
    <>
      <b>
        <HostileText text={name} />
      </b>{' '}
    </>
  );
}

/** A decision without a person. */
function bySystem({ type, operator }: Item): readonly [IconName, string] | undefined {
  if (operator !== null) return undefined;
  if (type === 'approval.approved') return ['rule', 'Released by a policy change'];
  return type === 'approval.denied' ? ['rule', 'Denied by the system'] : undefined;
}

/** The history says who voted when; the vote itself says how. */
function votes({ type, operator, at }: Item, approval: Approval): readonly [IconName, string] | undefined {
  if (type !== 'approval.vote_cast') return undefined;
  const vote = approval.votes.find((cast) => cast.member_id === operator?.id && cast.at === at);
  if (vote === undefined) return ['people', 'voted'];
  return vote.decision === 'approve' ? ['check', 'approved'] : ['x', 'denied'];
}
