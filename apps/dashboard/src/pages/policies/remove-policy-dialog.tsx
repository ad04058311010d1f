import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { approvalsKey } from '../../api/approvals.js';
import { deletePolicy, policiesKey, type Policy, updatePolicy } from '../../api/policies.js';
import { Confirm } from '../../components/confirm.js';
import { Icon } from '../../components/icon.js';
import { countText } from '../../domain/counts.js';
import { onRemovedTexts } from '../../domain/policy-text.js';
import { useWaitingUnder } from './waiting-under.js';

interface RemovePolicyProps {
  readonly policy: Policy;
  readonly how: 'deactivate' | 'delete';
  readonly onClose: () => void;
}

const words = {
  deactivate: { verb: 'Deactivate', doing: 'Deactivating…', after: 'It can be activated again.' },
  delete: {
    verb: 'Delete',
    doing: 'Deleting…',
    after: 'Its versions are kept; it cannot be activated again.',
  },
} as const;

/** Says what else happens when the policy governs no longer: waiting requests end with it. */
export function RemovePolicyDialog({ policy, how, onClose }: RemovePolicyProps) {
  const queries = useQueryClient();
  const navigate = useNavigate();
  const { verb, doing, after } = words[how];
  const remove = useMutation({
    mutationFn: async () => {
      if (how === 'delete') await deletePolicy(policy.id, policy.version);
      else await updatePolicy(policy.id, policy.version, { active: false });
    },
    onSuccess: async () => {
      onClose();
      if (how === 'delete') await navigate({ to: '/policies' });
      await Promise.all([
        queries.invalidateQueries({ queryKey: policiesKey }),
        queries.invalidateQueries({ queryKey: approvalsKey }),
      ]);
    },
  });
  return (
    <Confirm
      title={`${verb} ${policy.name}?`}
      description={
        <>
          It governs <code>{policy.action_type}</code> no longer, for everyone. {after}
        </>
      }
      verb={verb}
      doing={doing}
      isDangerous={how === 'delete'}
      isDoing={remove.isPending}
      error={remove.error}
      onConfirm={() => remove.mutate()}
      onClose={onClose}
    >
      <ul className="facts">
        <Released policy={policy} />
        <li>
          <Icon name="rule" />
          <span>New actions are judged by the next policy that matches; without one they are denied.</span>
        </li>
      </ul>
    </Confirm>
  );
}

function Released({ policy: { id, on_removed } }: { readonly policy: Policy }) {
  const { data } = useWaitingUnder(id);
  if (data === undefined)
    return (
      <li>
        <Icon name="inbox" />
        <span>Counting the requests that wait under it…</span>
      </li>
    );
  if (data.approvals.length === 0)
    return (
      <li>
        <Icon name="inbox" />
        <span>No request waits under it.</span>
      </li>
    );
  return (
    <li className={on_removed === 'approve' ? 'w' : undefined}>
      <Icon name={on_removed === 'approve' ? 'unlock' : 'inbox'} />
      <span>
        <b>{countText(data)} waiting</b> under it {onRemovedTexts[on_removed]}.
      </span>
    </li>
  );
}
