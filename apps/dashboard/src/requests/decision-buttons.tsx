import { type ReactNode, useState } from 'react';
import type { Approval } from '../api/types.js';
import { Icon } from '../components/icon.js';
import { useIsOver } from '../components/time-left.js';
import { listed, type Outcome } from '../domain/decision-outcome.js';
import { useIsAdmin, useMayDecide, useSession } from '../session/session-context.js';
import { DecisionError } from './decision-error.js';
import { DenyDialog } from './deny-dialog.js';
import { ForeverDialog } from './forever-dialog.js';
import { useDecision } from './use-decision.js';
import { useDraftReason } from './use-draft-reason.js';

/** Why the reader cannot decide; null: the reader can, as far as the page knows. The server judges in any case. */
export function useCannotDecide(approval: Approval): string | null {
  const { member, password_change_needed } = useSession();
  if (password_change_needed) return 'Choose your own password first; another person set the current one.';
  if (approval.can_decide === false) return reasonText(approval);
  const voted = approval.votes.some(({ member_id, counts }) => member_id === member.id && counts);
  return voted ? 'You have voted.' : null;
}

function reasonText({ cannot_decide_reason, approver_groups }: Approval): string {
  switch (cannot_decide_reason?.code) {
    case 'OWNER':
      return 'You own this agent; someone else must decide.';
    case 'NOT_IN_GROUPS': {
      const groups = approver_groups.map(({ group }) => group);
      return groups.length === 0
        ? 'Only other groups can decide.'
        : `Only ${listed(groups, 'or')} can decide.`;
    }
    case 'VOTED':
      return 'You have voted.';
    default:
      return cannot_decide_reason?.text ?? 'You cannot decide this request.';
  }
}

interface DecisionButtonsProps {
  readonly approval: Approval;
  readonly onOutcome: (outcome: Outcome, decided?: Approval) => void;
  /** On the request's own page: the reason is typed beside the buttons. */
  readonly reason?: string;
  readonly onReason?: (reason: string) => void;
  readonly layout: 'tile' | 'page';
  /** Above the buttons, where they are docked on a phone. */
  readonly strip?: ReactNode;
  /** Below the buttons: what an approval would do. */
  readonly consequence?: string;
  /** It left the list, and the server is being asked why. */
  readonly isLeaving?: boolean;
}

/** Approve once, Deny, and for administrators Approve forever. A viewer's page has none of them. */
export function DecisionButtons(props: DecisionButtonsProps) {
  const { approval, onOutcome, layout, strip, consequence, isLeaving = false } = props;
  const [own, setOwn] = useDraftReason(approval.id);
  const [open, setOpen] = useState<'deny' | 'forever' | null>(null);
  const { reason = own, onReason = setOwn } = props;
  const mayDecide = useMayDecide();
  const isAdmin = useIsAdmin();
  const cannot = useCannotDecide(approval);
  const isOver = useIsOver(approval);
  const decision = useDecision(approval, (outcome, decided) => {
    setOpen(null);
    onOutcome(outcome, decided);
  });
  if (!mayDecide) return null;
  if (cannot !== null) return <p className="note">{cannot}</p>;
  const { isPending, variables, isChecking } = decision;
  const sending = isPending ? variables.kind : null;
  const size = layout === 'page' ? 'btn big' : 'btn';
  const close = () => {
    setOpen(null);
    if (!isPending) decision.reset();
  };
  const isDisabled = isPending || isLeaving;
  const forever = isAdmin ? (
    <button
      className="btn quiet"
      type="button"
      data-act="forever"
      aria-haspopup="dialog"
      disabled={isDisabled}
      onClick={() => setOpen('forever')}
    >
      Approve forever
    </button>
  ) : null;
  return (
    <>
      <div className={layout === 'page' ? 'dock' : undefined}>
        {strip}
        <div className={layout === 'page' ? 'pair' : 'stack-acts'}>
          <button
            className={`${size} yes`}
            type="button"
            data-act="approve"
            disabled={isDisabled}
            onClick={() => decision.mutate({ kind: 'approve', reason: layout === 'page' ? reason : '' })}
          >
            <Icon name="check" />
            {sending === 'approve' ? 'Approving…' : 'Approve once'}
          </button>
          <button
            className={`${size} no`}
            type="button"
            data-act="deny"
            aria-haspopup="dialog"
            disabled={isDisabled}
            onClick={() => setOpen('deny')}
          >
            <Icon name="x" />
            {sending === 'deny' ? 'Denying…' : 'Deny'}
          </button>
        </div>
      </div>
      {layout === 'tile' ? forever : null}
      {isLeaving || isOver || isChecking ? (
        <p className="note" role="status">
          {isOver ? 'Time is up, checking…' : 'Not known yet, checking…'}
        </p>
      ) : null}
      {open === null && decision.error !== null ? <DecisionError error={decision.error} /> : null}
      {consequence === undefined ? null : <p className="fine">{consequence}</p>}
      {layout === 'page' ? forever : null}
      {open === 'deny' ? (
        <DenyDialog
          approval={approval}
          reason={reason}
          onReason={onReason}
          isSending={sending === 'deny'}
          isChecking={isChecking}
          error={decision.error}
          onDeny={() => decision.mutate({ kind: 'deny', reason })}
          onClose={close}
        />
      ) : null}
      {open === 'forever' ? (
        <ForeverDialog
          approval={approval}
          reason={reason}
          onReason={onReason}
          isSending={sending === 'forever'}
          isChecking={isChecking}
          error={decision.error}
          onApprove={(policyVersion) => decision.mutate({ kind: 'forever', reason, policyVersion })}
          onClose={close}
        />
      ) : null}
    </>
  );
}
