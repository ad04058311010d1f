import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useEffect, useRef } from 'react';
import { approvalsKey, withdrawVote } from '../../api/approvals.js';
import type { Approval } from '../../api/types.js';
import { useAnnounce } from '../../components/announcer.js';
import { HostileText } from '../../components/hostile-text.js';
import { Icon } from '../../components/icon.js';
import { errorText } from '../../components/notices.js';
import { clockText, Time } from '../../components/time.js';
import { Meter, TimeLeftText, useUrgency, windowMsOf } from '../../components/time-left.js';
import { listed, type Outcome, seatsText, votesText } from '../../domain/decision-outcome.js';
import { durationText } from '../../domain/time-left.js';
import { useClock } from '../../live/server-clock.js';
import { DecisionButtons, useCannotDecide } from '../../requests/decision-buttons.js';
import { ReasonField } from '../../requests/reason-field.js';
import { useDraftReason } from '../../requests/use-draft-reason.js';
import { useTargetText } from '../../requests/escalation-target.js';
import { useMayDecide, useSession } from '../../session/session-context.js';
import { initialsOf } from '../../shell/person-menu.js';

interface DecideProps {
  readonly approval: Approval;
  readonly isOpen: boolean;
  readonly onOutcome: (outcome: Outcome) => void;
}

/** Time left, votes and the decision: beside what the agent sent, and always in sight. */
export function Decide({ approval, isOpen, onOutcome }: DecideProps) {
  const mayDecide = useMayDecide();
  return (
    <aside className="decide" aria-label="Decide">
      {isOpen ? <TimeLeftCard approval={approval} /> : null}
      <VotesCard approval={approval} isOpen={isOpen} />
      {isOpen && mayDecide ? <DecisionCard approval={approval} onOutcome={onOutcome} /> : null}
    </aside>
  );
}

function TimeLeftCard({ approval }: { readonly approval: Approval }) {
  const urgency = useUrgency(approval);
  const end = useClock((now) => clockText(approval.timeout_at, now));
  const { next_at = null, next = null } = approval.escalation ?? {};
  const nextTime = useClock((now) => (next_at === null ? '' : clockText(next_at, now)));
  const announce = useAnnounce();
  const isLastMinute = useClock((now) => Date.parse(approval.timeout_at) - now < 60_000);
  const wasLastMinute = useRef(isLastMinute);
  useEffect(() => {
    if (isLastMinute && !wasLastMinute.current) announce('One minute left');
    wasLastMinute.current = isLastMinute;
  }, [isLastMinute, announce]);
  const targets = useTargetText(next);
  return (
    <section className={`card time ${urgency}`} aria-labelledby="left">
      <h2 id="left" className="sr">
        Time left
      </h2>
      <div className="big-left" role="timer" aria-live="off">
        <TimeLeftText deadline={approval} suffix=" left" />
      </div>
      <Meter deadline={approval} />
      <p className="fine">
        of {durationText(windowMsOf(approval))}. Denied by itself at {end}.
        {nextTime === '' ? null : (
          <>
            {' '}
            Escalates
            {targets === '' ? null : (
              <>
                {' '}
                to <HostileText text={targets} />
              </>
            )}{' '}
            at {nextTime}.
          </>
        )}
      </p>
    </section>
  );
}

function VotesCard({ approval, isOpen }: { readonly approval: Approval; readonly isOpen: boolean }) {
  const { approvals, denials, votes, seats_open } = approval;
  if (approvals.need === 1 && votes.length === 0) return null;
  return (
    <section className="card" aria-labelledby="votes">
      <h2 id="votes">
        {votesText(approvals.have, approvals.need)}
        {denials.need > 1 ? `, ${String(denials.have)} of ${String(denials.need)} denials` : ''}
      </h2>
      <ul className="votes">
        {votes.map((vote) => (
          <li key={`${vote.member_id}${vote.at}`}>
            <span className="ava" aria-hidden="true">
              {initialsOf(vote.member_name ?? '?')}
            </span>
            <span>
              <b>
                <HostileText text={vote.member_name ?? 'Another person'} />
              </b>
              {vote.groups === undefined || vote.groups.length === 0 ? null : (
                <>
                  , <HostileText text={listed(vote.groups, 'and')} />
                </>
              )}
              <br />
              <span className="dim">
                {vote.decision === 'approve' ? 'approved' : 'denied'} <Time at={vote.at} />
                {vote.counts ? '' : '; does not count, since another holder of the same key voted'}
              </span>
            </span>
          </li>
        ))}
        {isOpen && seats_open.length > 0 ? (
          <li>
            <span className="ava empty" aria-hidden="true">
              ?
            </span>
            <span>{capital(seatsText(seats_open))}</span>
          </li>
        ) : null}
      </ul>
      {isOpen ? <WithdrawVote approval={approval} /> : null}
    </section>
  );
}

/** One's own vote can be taken back while the request is open. */
function WithdrawVote({ approval }: { readonly approval: Approval }) {
  const { member } = useSession();
  const queries = useQueryClient();
  const withdraw = useMutation({
    mutationFn: () => withdrawVote(approval.id),
    onSettled: () => queries.invalidateQueries({ queryKey: approvalsKey }),
  });
  if (!approval.votes.some(({ member_id }) => member_id === member.id)) return null;
  return (
    <>
      <button
        className="btn quiet"
        type="button"
        disabled={withdraw.isPending}
        onClick={() => withdraw.mutate()}
      >
        Withdraw your vote
      </button>
      {withdraw.error === null ? null : (
        <p className="note bad" role="alert">
          {errorText(withdraw.error)}
        </p>
      )}
    </>
  );
}

function DecisionCard({ approval, onOutcome }: Omit<DecideProps, 'isOpen'>) {
  const [reason, setReason] = useDraftReason(approval.id);
  const cannot = useCannotDecide(approval);
  const end = useClock((now) => clockText(approval.timeout_at, now));
  if (cannot !== null)
    return (
      <section className="card" aria-label="Your decision">
        <p className="note">{cannot}</p>
      </section>
    );
  return (
    <section className="card" aria-label="Your decision">
      <ReasonField hint="kept in the audit log" reason={reason} onReason={setReason} />
      <DecisionButtons
        approval={approval}
        layout="page"
        reason={reason}
        onReason={setReason}
        onOutcome={onOutcome}
        strip={
          <p className="strip only-phone" aria-hidden="true">
            <Icon name="clock" />
            <b>
              <TimeLeftText deadline={approval} suffix=" left" />
            </b>{' '}
            <span className="soft">denied at {end}</span>
          </p>
        }
        consequence={consequence(approval)}
      />
    </section>
  );
}

/** What the reader's approval would do, computed from the votes. */
function consequence({ approvals, completes }: Approval): string {
  const missing = approvals.need - approvals.have;
  const isLast = completes ?? missing <= 1;
  if (!isLast) {
    const after = Math.max(1, missing - 1);
    return after === 1
      ? 'One more approval is needed after yours.'
      : `${String(after)} more approvals are needed after yours.`;
  }
  const place =
    approvals.need === 1 ? 'is the only one that is needed' : `is the ${ordinal(approvals.have + 1)}`;
  return `Your approval ${place}: the agent goes on at once, with exactly these values. It cannot be taken back.`;
}

const ordinals = ['first', 'second', 'third', 'fourth', 'fifth'];
const ordinal = (number: number) => ordinals[number - 1] ?? `${String(number)}th`;
const capital = (text: string) => text.slice(0, 1).toUpperCase() + text.slice(1);
