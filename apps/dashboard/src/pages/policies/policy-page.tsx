import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link, useParams } from '@tanstack/react-router';
import { useState } from 'react';
import { ApiRefusal } from '../../api/client.js';
import { getPolicy, policiesKey, type Policy, updatePolicy } from '../../api/policies.js';
import { HostileText } from '../../components/hostile-text.js';
import { LoadingTiles } from '../../components/loading.js';
import { Banner, EmptyState, ErrorState, errorText } from '../../components/notices.js';
import { AdminsChange, PageHead } from '../../components/page-head.js';
import { conditionText } from '../../domain/condition-text.js';
import { policySentence } from '../../domain/policy-text.js';
import { useIsAdmin } from '../../session/session-context.js';
import { PolicyState } from './policies-page.js';
import { RemovePolicyDialog } from './remove-policy-dialog.js';
import { TryOut } from './try-out.js';
import { Versions } from './versions.js';
import { WaitingUnder } from './waiting-under.js';

export function PolicyPage() {
  const { policyId } = useParams({ from: '/shell/policies/$policyId' });
  const { data, error, refetch } = useQuery({
    queryKey: [...policiesKey, 'one', policyId],
    queryFn: () => getPolicy(policyId),
  });
  if (data === undefined)
    return (
      <>
        <PageHead title="Policy" lead={<Link to="/policies">Back to the policies</Link>} />
        {error === null ? (
          <LoadingTiles count={2} />
        ) : error instanceof ApiRefusal && error.status === 404 ? (
          <>
            <EmptyState icon="rule" title="There is no such policy">
              <span className="soft">It may have been deleted. Its versions are kept below.</span>
            </EmptyState>
            <Versions policyId={policyId} />
          </>
        ) : (
          <ErrorState error={error} onRetry={() => void refetch()} />
        )}
      </>
    );
  return <OnePolicy policy={data} />;
}

function OnePolicy({ policy }: { readonly policy: Policy }) {
  const isAdmin = useIsAdmin();
  const [open, setOpen] = useState<'none' | 'deactivate' | 'delete'>('none');
  const queries = useQueryClient();
  const activate = useMutation({
    mutationFn: () => updatePolicy(policy.id, policy.version, { active: true }),
    onSettled: () => queries.invalidateQueries({ queryKey: policiesKey }),
  });
  return (
    <>
      <PageHead
        title={policy.name}
        lead={<Link to="/policies">Back to the policies</Link>}
        actions={
          isAdmin ? (
            <>
              <Link className="btn" to="/policies/$policyId/edit" params={{ policyId: policy.id }}>
                Change
              </Link>
              {policy.active ? (
                <button
                  className="btn"
                  type="button"
                  aria-haspopup="dialog"
                  onClick={() => setOpen('deactivate')}
                >
                  Deactivate
                </button>
              ) : (
                <button
                  className="btn"
                  type="button"
                  disabled={activate.isPending}
                  onClick={() => activate.mutate()}
                >
                  {activate.isPending ? 'Activating…' : 'Activate'}
                </button>
              )}
              <button className="btn" type="button" aria-haspopup="dialog" onClick={() => setOpen('delete')}>
                Delete
              </button>
            </>
          ) : null
        }
      />
      <AdminsChange what="policies" />
      {activate.error === null ? null : (
        <Banner icon="warn" tone="warn" role="alert">
          Not activated. {errorText(activate.error)}
        </Banner>
      )}
      {policy.warnings === undefined || policy.warnings.length === 0 ? null : (
        <Banner icon="warn" tone="warn">
          {policy.warnings.join(' ')}
        </Banner>
      )}
      <div className="split">
        <div className="stack">
          <Rules policy={policy} />
          <TryOut actionType={policy.action_type} />
        </div>
        <div className="stack">
          <WaitingUnder policyId={policy.id} />
          <Versions policyId={policy.id} />
        </div>
      </div>
      {open === 'none' ? null : (
        <RemovePolicyDialog policy={policy} how={open} onClose={() => setOpen('none')} />
      )}
    </>
  );
}

function Rules({ policy }: { readonly policy: Policy }) {
  const { conditions, condition_expression, escalation, on_no_approver, effect, notice } = policy;
  return (
    <section className="card" aria-labelledby="rules">
      <h2 id="rules">
        What it does <PolicyState policy={policy} />
      </h2>
      <p>
        Governs <code>{policy.action_type}</code>. {policySentence(policy)}
      </p>
      {conditions.length + (condition_expression === null ? 0 : 1) === 0 ? null : (
        <ul className="held">
          {conditions.map((condition, i) => (
            <li key={i}>
              <code>
                <HostileText
                  text={conditionText({ ...condition, expected: condition.value, result: true })}
                />
              </code>
            </li>
          ))}
          {condition_expression === null ? null : (
            <li>
              <code>
                <HostileText text={condition_expression} />
              </code>
            </li>
          )}
        </ul>
      )}
      {effect === 'allow' || effect === 'deny' ? null : (
        <dl className="pairs">
          {escalation.map(({ after, contacts, channels, repeat }, i) => (
            <div key={i} className="pairs-row">
              <dt>After {after}</dt>
              <dd>
                tells {[...contacts, ...channels].join(', ') || 'no one by name'}
                {repeat === null ? '' : `, again every ${repeat.every}, ${String(repeat.times)} times`}
              </dd>
            </div>
          ))}
          {notice === null || notice === undefined ? null : (
            <div className="pairs-row">
              <dt>Warns people</dt>
              <dd>
                “<HostileText text={notice} />”
              </dd>
            </div>
          )}
          <div className="pairs-row">
            <dt>When no one may decide</dt>
            <dd>{on_no_approver === 'deny' ? 'denied at once' : 'escalated at once'}</dd>
          </div>
        </dl>
      )}
    </section>
  );
}
