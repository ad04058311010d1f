import { useId, useRef } from 'react';
import type { Approval } from '../api/types.js';
import { Dialog } from '../components/dialog.js';
import { HostileText } from '../components/hostile-text.js';
import { Icon } from '../components/icon.js';
import { TimeLeftTag, useIsOver } from '../components/time-left.js';
import { DecisionError } from './decision-error.js';

const frequentReasons = ['Outside the change window', 'Needs a smaller change', 'Not expected'];

interface DenyDialogProps {
  readonly approval: Approval;
  readonly reason: string;
  readonly onReason: (reason: string) => void;
  readonly onDeny: () => void;
  readonly onClose: () => void;
  readonly isSending: boolean;
  readonly error: unknown;
}

export function DenyDialog({
  approval,
  reason,
  onReason,
  onDeny,
  onClose,
  isSending,
  error,
}: DenyDialogProps) {
  const id = useId();
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
        <label className="lab" htmlFor={id}>
          Reason <span className="dim">(optional, sent to the agent)</span>
        </label>
        <textarea
          id={id}
          ref={field}
          data-autofocus
          maxLength={2000}
          value={reason}
          onChange={(event) => onReason(event.currentTarget.value)}
        />
        <div className="chips" role="group" aria-label="Frequent reasons">
          {frequentReasons.map((text) => (
            <button
              key={text}
              type="button"
              onClick={() => {
                onReason(text);
                field.current?.focus();
              }}
            >
              {text}
            </button>
          ))}
        </div>
      </div>
      {isOver ? <p role="status">Time is up, checking… Your reason stays here.</p> : null}
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
