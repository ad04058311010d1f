import { Link } from '@tanstack/react-router';
import { usePaged } from '../../api/paged.js';
import { listPolicies, policiesKey, type Policy } from '../../api/policies.js';
import { HostileText } from '../../components/hostile-text.js';
import { Icon } from '../../components/icon.js';
import { EmptyState } from '../../components/notices.js';
import { AdminsChange, PageHead } from '../../components/page-head.js';
import { PagedTable } from '../../components/paged-table.js';
import { Time } from '../../components/time.js';
import { effectNames } from '../../domain/policy-text.js';
import { plural } from '../../domain/time-left.js';
import { useIsAdmin } from '../../session/session-context.js';
import { TryOut } from './try-out.js';

const pageSize = 100;

export function PoliciesPage() {
  const isAdmin = useIsAdmin();
  const policies = usePaged(
    [...policiesKey, 'list'],
    (cursor, signal) => listPolicies({ cursor, limit: pageSize }, signal),
    (page) => page.policies,
  );
  const create = (
    <Link className="btn" to="/policies/new">
      New policy
    </Link>
  );
  return (
    <>
      <PageHead
        title="Policies"
        lead="The most specific one that matches an action governs it. Without one the action is denied."
        actions={isAdmin ? create : null}
      />
      <AdminsChange what="policies" />
      <PagedTable<Policy>
        paged={policies}
        caption="Policies of the workspace"
        moreName="Show more policies"
        keyOf={({ id }) => id}
        empty={
          <EmptyState icon="rule" title="There is no policy">
            <span className="soft">Until there is one, every action of every agent is denied.</span>
            {isAdmin ? create : null}
          </EmptyState>
        }
        columns={[
          {
            name: 'Policy',
            header: true,
            cell: ({ id, name }) => (
              <Link to="/policies/$policyId" params={{ policyId: id }}>
                <HostileText text={name} />
              </Link>
            ),
          },
          { name: 'Action type', cell: ({ action_type }) => <code>{action_type}</code> },
          {
            name: 'What happens',
            cell: (policy) => (
              <>
                {effectNames[policy.effect]}
                <span className="sub">{detailOf(policy)}</span>
              </>
            ),
          },
          { name: 'State', cell: (policy) => <PolicyState policy={policy} /> },
          {
            name: 'Version',
            cell: ({ version, updated_at }) => (
              <>
                {version}
                <span className="sub">
                  <Time at={updated_at} />
                </span>
              </>
            ),
          },
        ]}
      />
      <TryOut />
    </>
  );
}

function detailOf({
  effect,
  conditions,
  condition_expression,
  on_fail,
  approvals_required,
  timeout,
}: Policy): string {
  if (effect === 'allow' || effect === 'deny') return '';
  const count = conditions.length + (condition_expression === null ? 0 : 1);
  const asks = `${plural(approvals_required, 'approval')} in ${timeout}`;
  if (effect === 'require_approval') return asks;
  return `${plural(count, 'condition')}, otherwise ${on_fail === 'deny' ? 'denied' : asks}`;
}

export const PolicyState = ({ policy: { active, mode } }: { readonly policy: Policy }) =>
  !active ? (
    <span className="tag flat">
      <Icon name="off" />
      Not active
    </span>
  ) : mode === 'shadow' ? (
    <span className="tag warn">
      <Icon name="eye" />
      Shadow, governs nothing
    </span>
  ) : (
    <span className="tag ok">
      <Icon name="check" />
      Active
    </span>
  );
