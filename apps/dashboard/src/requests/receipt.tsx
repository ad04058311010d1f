import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import type { Approval } from '../api/types.js';
import { HostileText } from '../components/hostile-text.js';
import { Icon, type IconName } from '../components/icon.js';
import { clockText } from '../components/time.js';
import {
  beforeYou,
  deed,
  type Ended,
  type Outcome,
  seatsText,
  votesText,
} from '../domain/decision-outcome.js';
import { useClock } from '../live/server-clock.js';

interface Shown {
  readonly icon: IconName;
  readonly tone?: 'g' | 'r';
  readonly text: ReactNode;
}

/** What became of a request, in one line. */
export function OutcomeText({
  approval,
  outcome,
}: {
  readonly approval: Approval;
  readonly outcome: Outcome;
}) {
  const { icon, tone, text } = useShown(approval, outcome);
  const typed = outcome.kind === 'lost_race' || outcome.kind === 'too_late' ? outcome.typed : '';
  return (
    <>
      <Icon name={icon} {...(tone === undefined ? {} : { tone })} />
      <span>{text}</span>
      {typed === '' ? null : (
        <label className="typed">
          <span className="sr">The reason you typed</span>
          <textarea readOnly rows={2} value={typed} />
        </label>
      )}
    </>
  );
}

function useShown(approval: Approval, outcome: Outcome): Shown {
  const at = outcome.kind === 'too_late' ? outcome.at : (approval.resolved_at ?? approval.timeout_at);
  const time = useClock((now) => clockText(at === '' ? approval.timeout_at : at, now, true));
  const action = approval.action_type;
  const agent = <HostileText text={approval.agent.name} />;
  switch (outcome.kind) {
    case 'approved_by_me':
      return {
        icon: 'check',
        tone: 'g',
        text: (
          <>
            <b>
              You approved {action} {outcome.forever ? 'forever' : 'once'}.
            </b>{' '}
            {agent} goes on.
          </>
        ),
      };
    case 'denied_by_me':
      return {
        icon: 'x',
        tone: 'r',
        text: (
          <>
            <b>You denied {action}.</b>
            {outcome.reason === '' ? null : (
              <>
                {' '}
                “<HostileText text={outcome.reason} />”
              </>
            )}
          </>
        ),
      };
    case 'vote_recorded':
      return {
        icon: 'people',
        text: (
          <>
            <b>
              Your {outcome.approves ? 'approval' : 'denial'} is recorded,{' '}
              {outcome.approves
                ? votesText(outcome.have, outcome.need).replace(/ approvals?$/, '')
                : `${String(outcome.have)} of ${String(outcome.need)}`}
              .
            </b>{' '}
            {seatsText(outcome.seats) === '' ? null : `${capital(seatsText(outcome.seats))}.`}
          </>
        ),
      };
    case 'lost_race':
      return {
        icon: 'people',
        text: (
          <>
            <b>
              <EndedBy ended={outcome.ended} what="this" /> {beforeYou(outcome.beforeMs)}.
            </b>{' '}
            Nothing you did was recorded.
          </>
        ),
      };
    case 'too_late':
      return {
        icon: 'clock',
        text: (
          <>
            <b>Too late: time ran out at {time}.</b> The agent was denied (approval_timeout).
          </>
        ),
      };
    case 'ended':
      return endedText(approval, outcome.ended, time);
  }
}

const EndedBy = ({ ended, what }: { readonly ended: Ended; readonly what: string }) => {
  const done = deed(ended);
  return done === null ? (
    <>{ended.status === 'denied' ? `The system denied ${what}` : `The system released ${what}`}</>
  ) : (
    <>
      <HostileText text={done} /> {what}
    </>
  );
};

function endedText(approval: Approval, ended: Ended, time: string): Shown {
  const action = approval.action_type;
  const agent = <HostileText text={approval.agent.name} />;
  if (ended.status === 'timed_out')
    return {
      icon: 'clock',
      text: (
        <>
          <b>
            Time ran out for {action} at {time}.
          </b>{' '}
          The agent was denied (approval_timeout).
        </>
      ),
    };
  if (ended.status === 'cancelled')
    return {
      icon: 'bot',
      text: (
        <b>
          {agent} withdrew {action}.
        </b>
      ),
    };
  if (ended.resolvedBy === null) {
    const note = approval.history.findLast((item) => item.note !== null)?.note;
    return {
      icon: 'rule',
      text: (
        <>
          <b>{ended.status === 'denied' ? 'Denied by a policy change.' : 'Released by a policy change.'}</b>{' '}
          {action}: {note === undefined || note === null ? null : <HostileText text={`${note}; `} />}no person
          decided.
        </>
      ),
    };
  }
  return {
    icon: ended.status === 'denied' ? 'x' : 'check',
    tone: ended.status === 'denied' ? 'r' : 'g',
    text: (
      <>
        <b>
          <EndedBy ended={ended} what={action} />.
        </b>
        {ended.reason === null || ended.reason === '' ? null : (
          <>
            {' '}
            “<HostileText text={ended.reason} />”
          </>
        )}
      </>
    ),
  };
}

const capital = (text: string) => text.slice(0, 1).toUpperCase() + text.slice(1);

interface ReceiptProps {
  readonly approval: Approval;
  readonly outcome: Outcome;
}

/** Stands where the tile stood, so that the next tile does not slide under the pointer. */
export const Receipt = ({ approval, outcome }: ReceiptProps) => (
  <div className="receipt" data-receipt={approval.id}>
    <OutcomeText approval={approval} outcome={outcome} />
    <Link to="/approvals/$approvalId" params={{ approvalId: approval.id }}>
      Details<span className="sr"> of {approval.action_type}</span>
    </Link>
  </div>
);
