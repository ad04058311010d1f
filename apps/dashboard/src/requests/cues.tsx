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

const shown = (value: Cue['params'][string] | undefined) => <HostileText text={valueText(value)} />;

/** Facts that the server recorded, in words; nothing here comes from a model. */
function cueView({ kind, level, field, params }: Cue, { action_type }: Approval, i: number): CueView {
  const label = field === null ? null : <code>{<HostileText text={labelOf(field)} />}</code>;
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
        <>First {action_type} by this agent</>,
        <>It has not asked for it in the last {shown(params['days'])} days.</>,
      );
    case 'largest':
      return view(
        'grow',
        <>Largest {label} in 90 days</>,
        <>
          It is {shown(params['value'])}; the largest approved one was {shown(params['max'])}.
        </>,
      );
    case 'new_value':
      return view(
        'new',
        <>New value of {label}</>,
        params['was'] === undefined ? (
          <>The last {shown(params['times'])} approved requests had one and the same hidden value.</>
        ) : (
          <>
            The last {shown(params['times'])} approved requests had {shown(params['was'])}.
          </>
        ),
      );
    case 'looks_like':
      return params['like'] === null || params['like'] === undefined
        ? view(
            'eye',
            <>{label} mixes letters of two scripts in one word</>,
            <>The foreign letters are marked below.</>,
          )
        : view(
            'eye',
            <>
              {label} looks like “{shown(params['like'])}” but is not the same text
            </>,
            <>The earlier text was approved before; this one never was.</>,
          );
    case 'recent_denials':
      return view(
        'x',
        <>
          {shown(params['denied'])} of the last {shown(params['of'])} denied
        </>,
      );
    case 'repeats':
      return view(
        'warn',
        <>
          Asked {shown(params['times'])} times in {shown(params['minutes'])} min
        </>,
      );
    case 'last_approved':
      return view('check', <>Last {shown(params['count'])} approved</>);
  }
}

/** What the policy warns of, in the words of its author. */
function noticeCue({ policy: { notice } }: Approval): CueView | null {
  return notice === null || notice === undefined || notice === ''
    ? null
    : {
        key: 'notice',
        level: 'warn',
        icon: 'rule',
        text: <HostileText text={notice} />,
        evidence: <>The policy says so of every such action.</>,
      };
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
    noticeCue(approval),
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
