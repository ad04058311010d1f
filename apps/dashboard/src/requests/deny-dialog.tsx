import { useQuery } from '@tanstack/react-query';
import { useRef } from 'react';
import { getDenialReasons } from '../api/approvals.js';
import type { Approval } from '../api/types.js';
import { Dialog } from '../components/dialog.js';
import { HostileText } from '../components/hostile-text.js';
import { Icon } from '../components/icon.js';
import { TimeLeftTag, useIsOver } from '../components/time-left.js';
import { DecisionError } from './decision-error.js';
import { ReasonField } from './reason-field.js';

const usualReasons = ['Outside the change window', 'Needs a smaller change', 'Not expected'];
const mostReasons = 5;

/** Those of the workspace first. None until they are known, so that none moves under the pointer. */
function useFrequentReasons(): readonly string[] {
  const { data, isPending } = useQuery({
    queryKey: ['denial-reasons'],
    queryFn: getDenialReasons,
    staleTime: 300_000,
  });
  const own = data?.reasons ?? [];
  if (isPending) return [];
  return [...new Set([...own, ...usualReasons.slice(own.length)])].slice(0, mostReasons);
}

interface DenyDialogProps {
  readonly approval: Approval;
  readonly reason: string;
  readonly onReason: (reason: string) => void;
  readonly onDeny: () => void;
  readonly onClose: () => void;
  readonly isSending: boolean;
  /** No answer came, and what became of the vote is being found out. */
  readonly isChecking: boolean;
  readonly error: unknown;
}

export function DenyDialog({
  approval,
  reason,
  onReason,
  onDeny,
  onClose,
  isSending,
  isChecking,
  error,
}: DenyDialogProps) {
  const frequent = useFrequentReasons();
  const field = useRef<HTMLTextAreaElement>(null);
  const isOver = useIsOver(approval);
  return (
    <Dialog
      role="alertdialog"
      title={`Deny ${approval.action_type}?`}
      description={
        <>
          <HostileText text={approval.agent.name} /> is told at once and gets your reason. It may ask again.
        </>
      }
      tag={<TimeLeftTag deadline={approval} />}
      onClose={onClose}
    >
      <div>
        <ReasonField hint="sent to the agent" reason={reason} onReason={onReason} ref={field} isFirst />
        <div className="chips" role="group" aria-label="Frequent reasons">
          {frequent.map((text) => (
            <button
              key={text}
              type="button"
              onClick={() => {
                onReason(text);
                field.current?.focus();
              }}
            >
              <HostileText text={text} />
            </button>
          ))}
        </div>
      </div>
      {isOver ? <p role="status">Time is up, checking… Your reason stays here.</p> : null}
      {isChecking ? <p role="status">Not known yet, checking…</p> : null}
      {error === null ? null : <DecisionError error={error} />}
      <div className="ends">
        <button className="btn" type="button" onClick={onClose}>
          Cancel
        </button>
        <button className="btn danger" type="button" disabled={isSending} onClick={onDeny}>
          <Icon name="x" />
          {isSending ? 'Denying…' : 'Deny'}
        </button>
      </div>
    </Dialog>
  );
}
