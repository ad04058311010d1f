import type { ReactNode } from 'react';
import type { Approval, Cue } from '../api/types.js';
import { HostileText } from '../components/hostile-text.js';
import { Icon, type IconName } from '../components/icon.js';
import { Time } from '../components/time.js';
import { runsAlone } from '../domain/condition-text.js';
import { listed, seatsText } from '../domain/decision-outcome.js';
import { useTargetText } from './escalation-target.js';
import { labelOf, pointerOf, valueAt, valueText } from '../domain/fields.js';

export interface CueView {
  readonly key: string;
  readonly level: 'warn' | 'calm';
  readonly icon: IconName;
  readonly text: ReactNode;
  /** More of it, on the request's page. */
  readonly evidence?: ReactNode;
}

const numberOf = (value: unknown): number | null => (typeof value === 'number' ? value : null);
const textOf = (value: unknown): string | null =>
  value === null || value === undefined ? null : typeof value === 'string' ? value : JSON.stringify(value);

/** Facts that the server recorded, in words; nothing here comes from a model. */
function cueView(cue: Cue, approval: Approval, i: number): CueView {
  const { kind, level, field, params } = cue;
  const label = field === null ? null : <code>{<HostileText text={labelOf(field)} />}</code>;
  const of = numberOf(params['of']) ?? numberOf(params['requests']) ?? numberOf(params['decided']);
  const count = numberOf(params['denied']) ?? numberOf(params['count']) ?? numberOf(params['approved']);
  const view = (icon: IconName, text: ReactNode, evidence?: ReactNode): CueView => ({
    key: `${kind}${String(i)}`,
    level,
    icon,
    text,
    ...(evidence === undefined ? {} : { evidence }),
  });
  switch (kind) {
    case 'first_time':
      return view(
        'new',
        <>First {approval.action_type} by this agent</>,
        <>This agent has not asked for it in the last 90 days.</>,
      );
    case 'largest':
      return view(
        'grow',
        <>Largest {label ?? 'value'} in 90 days</>,
        textOf(params['previous_max'] ?? params['max'] ?? params['was']) === null ? undefined : (
          <>
            The largest approved one was {textOf(params['previous_max'] ?? params['max'] ?? params['was'])}.
          </>
        ),
      );
    case 'new_value':
      return view(
        'new',
        <>New value of {label ?? 'a field'}</>,
        textOf(params['was'] ?? params['usual']) === null ? undefined : (
          <>
            The last approved requests had{' '}
            <HostileText text={textOf(params['was'] ?? params['usual']) ?? ''} />.
          </>
        ),
      );
    case 'looks_like':
      return view(
        'eye',
        <>
          {label ?? 'A value'} looks like “
          <HostileText text={textOf(params['like'] ?? params['looks_like']) ?? ''} />” but is not the same
          text
        </>,
      );
    case 'recent_denials':
      return view(
        'x',
        count === null || of === null ? (
          <>Denied recently</>
        ) : (
          <>
            {count} of the last {of} denied
          </>
        ),
      );
    case 'repeats':
      return view(
        'warn',
        <>
          Asked {numberOf(params['times']) ?? count ?? 'several'} times in {numberOf(params['minutes']) ?? 10}{' '}
          min
        </>,
      );
    case 'last_approved':
      return view('check', <>Last {count ?? of ?? 5} approved</>);
    default:
      return view(level === 'warn' ? 'warn' : 'rule', <HostileText text={textOf(params['text']) ?? kind} />);
  }
}

/** The first condition that did not hold, in words. */
function conditionCue(approval: Approval): CueView | null {
  const failed = approval.conditions_evaluated.find(({ result }) => !result);
  if (failed === undefined) return null;
  const value = valueAt(approval.metadata, pointerOf(failed.field.split('.')));
  return {
    key: 'condition',
    level: 'calm',
    icon: 'rule',
    text: (
      <>
        <code>
          <HostileText text={failed.field} />
        </code>{' '}
        {value === undefined || typeof value === 'object' ? '' : <HostileText text={valueText(value)} />}
        {value === undefined ? 'is missing, ' : ', '}
        {runsAlone(failed)}
      </>
    ),
  };
}

/** Who voted, and whose vote is still needed. */
function voteCue(approval: Approval): CueView | null {
  const counted = approval.votes.filter(({ counts }) => counts);
  if (counted.length === 0) return null;
  const names = counted.map(({ member_name }) => member_name ?? 'Another person');
  const open = seatsText(approval.seats_open);
  return {
    key: 'votes',
    level: 'calm',
    icon: 'people',
    text: (
      <>
        {listed(names, 'and')}{' '}
        {counted.every(({ decision }) => decision === 'approve') ? 'approved' : 'voted'}
        {open === '' ? '' : `; ${open}`}
      </>
    ),
  };
}

/** All cues of a request, warnings first. */
export function cueViews(approval: Approval): readonly CueView[] {
  const views = [
    ...(approval.cues ?? []).map((cue, i) => cueView(cue, approval, i)),
    conditionCue(approval),
    voteCue(approval),
  ].filter((view) => view !== null);
  return [...views.filter(({ level }) => level === 'warn'), ...views.filter(({ level }) => level === 'calm')];
}

const cuesInTile = 4;

export function CueList({ approval }: { readonly approval: Approval }) {
  const views = cueViews(approval).slice(0, cuesInTile);
  if (views.length === 0) return null;
  return (
    <ul className="cues" aria-label="Before you decide">
      {views.map(({ key, level, icon, text }) => (
        <li key={key} className={level === 'calm' ? 'calm' : undefined}>
          <Icon name={icon} />
          <span>{text}</span>
        </li>
      ))}
    </ul>
  );
}

/** Tags behind the action type: escalation, and the votes of a quorum. */
export function RequestTags({ approval }: { readonly approval: Approval }) {
  const { approvals, escalation_level, escalation } = approval;
  const target = useTargetText(escalation?.told.at(-1));
  return (
    <>
      {escalation_level > 0 ? (
        <span className="tag esc">
          <Icon name="up" />
          {target === '' ? (
            `Escalated, level ${String(escalation_level)}`
          ) : (
            <>
              Escalated to <HostileText text={target} />
            </>
          )}
        </span>
      ) : null}
      {approvals.need > 1 ? (
        <span className="tag vote">
          <span className="pips" aria-hidden="true">
            {Array.from({ length: Math.min(approvals.need, 8) }, (_, i) => (
              <i key={i} className={i < approvals.have ? 'on' : undefined} />
            ))}
          </span>
          {approvals.have} of {approvals.need} approvals
        </span>
      ) : null}
    </>
  );
}

/** Agent, policy, and when it asked. */
export const AskedBy = ({ approval }: { readonly approval: Approval }) => (
  <p className="by">
    <b>
      <HostileText text={approval.agent.name} />
    </b>{' '}
    · policy <HostileText text={approval.policy_name} />
    {approval.policy.unconditional === true ? ', always asks' : ''} · asked <Time at={approval.created_at} />
  </p>
);
