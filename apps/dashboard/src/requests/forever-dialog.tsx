import { useQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { approvalKey, getForever } from '../api/approvals.js';
import type { Approval, ForeverPreview } from '../api/types.js';
import { Dialog } from '../components/dialog.js';
import { HostileText } from '../components/hostile-text.js';
import { Icon, type IconName } from '../components/icon.js';
import { ErrorState } from '../components/notices.js';
import { Time } from '../components/time.js';
import { TimeLeftTag, useIsOver } from '../components/time-left.js';
import { listed } from '../domain/decision-outcome.js';
import { plural } from '../domain/time-left.js';
import { DecisionError } from './decision-error.js';
import { ReasonField } from './reason-field.js';

interface ForeverDialogProps {
  readonly approval: Approval;
  readonly reason: string;
  readonly onReason: (reason: string) => void;
  readonly onApprove: (policyVersion: number) => void;
  readonly onClose: () => void;
  readonly isSending: boolean;
  /** No answer came, and what became of the vote is being found out. */
  readonly isChecking: boolean;
  readonly error: unknown;
}

/** Says what changes for everyone before an administrator lets a policy allow. */
export function ForeverDialog(props: ForeverDialogProps) {
  const { approval, reason, onReason, onApprove, onClose, isSending, isChecking, error } = props;
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
      <ReasonField hint="kept in the audit log" reason={reason} onReason={onReason} />
      {isOver ? <p role="status">Time is up, checking… Your reason stays here.</p> : null}
      {isChecking ? <p role="status">Not known yet, checking…</p> : null}
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

function Consequences({ data }: { readonly data: ForeverPreview }) {
  const { denials_30d, agents, agents_total, waiting_total, completes } = data;
  const { asked, denied, last } = denials_30d;
  const unnamed = agents_total - agents.length;
  return (
    <>
      <PolicyStep plan={data.plan} />
      <ul className="facts">
        <Fact icon={denied > 0 ? 'warn' : 'check'} isWarning={denied > 0}>
          {denied === 0 ? (
            <>None of {plural(asked, 'request')} was denied in the last 30 days.</>
          ) : (
            <>
              <b>
                {denied} of {asked}
              </b>{' '}
              requests were denied in the last 30 days
              {last === null ? null : (
                <>
                  , the last one <Time at={last.at} />
                </>
              )}
              <Quoted text={last?.reason ?? ''} /> Those would have run.
            </>
          )}
        </Fact>
        <Fact icon="bot">
          {agents_total === 0 ? (
            'No agent used it in that time.'
          ) : (
            <>
              {plural(agents_total, 'agent')} {agents_total === 1 ? 'uses' : 'use'} it:{' '}
              <HostileText
                text={listed(
                  [...agents.map(({ name }) => name), ...(unnamed > 0 ? [plural(unnamed, 'other')] : [])],
                  'and',
                )}
              />
              .
            </>
          )}
        </Fact>
        <Fact icon="inbox" isWarning={waiting_total > 0}>
          {waiting_total === 0
            ? 'No other request is waiting under this policy.'
            : `${plural(waiting_total, 'other waiting request')} under this policy ${waiting_total === 1 ? 'is' : 'are'} released.`}
        </Fact>
        {completes ? null : (
          <Fact icon="people" isWarning>
            Your approval does not complete this request. The policy changes only when the request is
            approved.
          </Fact>
        )}
      </ul>
    </>
  );
}

const Quoted = ({ text }: { readonly text: string }) =>
  text === '' ? (
    '.'
  ) : (
    <>
      : “<HostileText text={text} />
      ”.
    </>
  );

interface FactProps {
  readonly icon: IconName;
  readonly isWarning?: boolean;
  readonly children: ReactNode;
}

const Fact = ({ icon, isWarning = false, children }: FactProps) => (
  <li className={isWarning ? 'w' : undefined}>
    <Icon name={icon} />
    <span>{children}</span>
  </li>
);

/** The policy before and after. */
function PolicyStep({ plan: { current, next, detail } }: { readonly plan: ForeverPreview['plan'] }) {
  if (next === null)
    return (
      <p>
        <HostileText text={detail} />
      </p>
    );
  return (
    <dl className="change">
      <dt>Policy</dt>
      <dd>
        <HostileText text={next.name} />
        {next.is_new
          ? ', new'
          : `, version ${current === null ? '' : `${String(current.version)} → `}${String(next.version)}`}
      </dd>
      <dt>Effect</dt>
      <dd>
        {next.is_new || current === null ? null : (
          <>
            <del className="dim">{effectText(current.effect)}</del> →{' '}
          </>
        )}
        <b>{effectText(next.effect)}</b>
      </dd>
      <dt>From then on</dt>
      <dd>
        any agent, any payload that matches <code>{next.action_type}</code>
      </dd>
    </dl>
  );
}

const effects: Readonly<Record<string, string>> = {
  allow: 'allow',
  deny: 'deny',
  require_approval: 'always asks',
  conditional: 'asks when a condition does not hold',
};
const effectText = (effect: string): string => effects[effect] ?? effect;
