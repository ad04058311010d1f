import { useQuery } from '@tanstack/react-query';
import { useId } from 'react';
import { approvalKey, getForever } from '../api/approvals.js';
import type { Approval, ForeverConsequences } from '../api/types.js';
import { Dialog } from '../components/dialog.js';
import { HostileText } from '../components/hostile-text.js';
import { Icon } from '../components/icon.js';
import { ErrorState } from '../components/notices.js';
import { Time } from '../components/time.js';
import { TimeLeftTag, useIsOver } from '../components/time-left.js';
import { listed } from '../domain/decision-outcome.js';
import { plural } from '../domain/time-left.js';
import { DecisionError } from './decision-error.js';

interface ForeverDialogProps {
  readonly approval: Approval;
  readonly reason: string;
  readonly onReason: (reason: string) => void;
  readonly onApprove: (policyVersion: number) => void;
  readonly onClose: () => void;
  readonly isSending: boolean;
  readonly error: unknown;
}

/** Says what changes for everyone before an administrator lets a policy allow. */
export function ForeverDialog(props: ForeverDialogProps) {
  const { approval, reason, onReason, onApprove, onClose, isSending, error } = props;
  const id = useId();
  const isOver = useIsOver(approval);
  const consequences = useQuery({
    queryKey: [...approvalKey(approval.id), 'forever'],
    queryFn: () => getForever(approval.id),
    staleTime: 0,
  });
  const { data } = consequences;
  return (
    <Dialog
      role="alertdialog"
      title={`Stop asking for ${approval.action_type}?`}
      description="This approves the request and changes the policy for everyone. It reaches beyond this one request."
      tag={<TimeLeftTag deadline={approval} />}
      onClose={onClose}
    >
      {data === undefined ? (
        consequences.error === null ? (
          <p aria-busy="true">Looking up what this changes…</p>
        ) : (
          <ErrorState
            error={consequences.error}
            title="What this changes is not known"
            onRetry={() => void consequences.refetch()}
          />
        )
      ) : (
        <Consequences data={data} />
      )}
      <div>
        <label className="lab" htmlFor={id}>
          Reason <span className="dim">(optional, kept in the audit log)</span>
        </label>
        <textarea
          id={id}
          maxLength={2000}
          value={reason}
          onChange={(event) => onReason(event.currentTarget.value)}
        />
      </div>
      {isOver ? <p role="status">Time is up, checking… Your reason stays here.</p> : null}
      {error === null ? null : <DecisionError error={error} />}
      <div className="ends">
        <button className="btn" type="button" data-autofocus onClick={onClose}>
          Cancel
        </button>
        <button
          className="btn solid"
          type="button"
          disabled={isSending || data === undefined}
          onClick={() => data !== undefined && onApprove(data.policy.version)}
        >
          <Icon name="unlock" />
          {isSending ? 'Approving…' : 'Approve forever'}
        </button>
      </div>
    </Dialog>
  );
}

function Consequences({ data }: { readonly data: ForeverConsequences }) {
  const { policy, denials_30d, agents, waiting_total, completes } = data;
  const { asked, denied, last } = denials_30d;
  return (
    <>
      <dl className="change">
        <dt>Policy</dt>
        <dd>
          <HostileText text={policy.name} />, version {policy.version} → {policy.next_version}
        </dd>
        <dt>Effect</dt>
        <dd>
          <del className="dim">{effectText(policy.effect)}</del> → <b>{effectText(policy.effect_after)}</b>
        </dd>
        <dt>From then on</dt>
        <dd>
          {data.matches.length === 0 ? (
            <>
              any agent, any payload that matches <code>{policy.action_type}</code>
            </>
          ) : (
            data.matches.map((part, i) => (
              <span key={i}>
                {i === 0 ? '' : ' '}
                <HostileText text={part} />
              </span>
            ))
          )}
        </dd>
      </dl>
      <ul className="facts">
        <li className={denied > 0 ? 'w' : undefined}>
          <Icon name={denied > 0 ? 'warn' : 'check'} />
          <span>
            {denied === 0 ? (
              <>None of {plural(asked, 'request')} was denied in the last 30 days.</>
            ) : (
              <>
                <b>
                  {denied} of {asked}
                </b>{' '}
                requests were denied in the last 30 days
                {last === null ? '' : ', the last one '}
                {last === null ? null : <Time at={last.at} />}
                {(last?.reason ?? '') === '' ? (
                  '. '
                ) : (
                  <>
                    : “<HostileText text={last?.reason ?? ''} />
                    ”.{' '}
                  </>
                )}
                Those would have run.
              </>
            )}
          </span>
        </li>
        <li>
          <Icon name="bot" />
          <span>
            {agents.length === 0 ? (
              'No agent used it in that time.'
            ) : (
              <>
                {plural(agents.length, 'agent')} {agents.length === 1 ? 'uses' : 'use'} it:{' '}
                <HostileText
                  text={listed(
                    agents.map(({ name }) => name),
                    'and',
                  )}
                />
                .
              </>
            )}
          </span>
        </li>
        <li className={waiting_total > 0 ? 'w' : undefined}>
          <Icon name="inbox" />
          <span>
            {waiting_total === 0
              ? 'No other request is waiting under this policy.'
              : `${plural(waiting_total, 'other waiting request')} under this policy ${waiting_total === 1 ? 'is' : 'are'} released.`}
          </span>
        </li>
        {completes ? null : (
          <li className="w">
            <Icon name="people" />
            <span>
              Your approval does not complete this request. The policy changes only when the request is
              approved.
            </span>
          </li>
        )}
      </ul>
    </>
  );
}

const effects: Readonly<Record<string, string>> = {
  allow: 'allow',
  deny: 'deny',
  require_approval: 'always asks',
  conditional: 'asks when a condition does not hold',
};
const effectText = (effect: string): string => effects[effect] ?? effect;
