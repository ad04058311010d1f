import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { type Agent, agentsKey, suspendAgent } from '../../api/agents.js';
import { approvalsKey, listApprovals } from '../../api/approvals.js';
import { FormDialog } from '../../components/confirm.js';
import { TextArea } from '../../components/form.js';
import { formFaults } from '../../components/form-faults.js';
import { countText } from '../../domain/counts.js';

interface SuspendAgentProps {
  readonly agent: Agent;
  readonly onClose: () => void;
}

/** Up to this many waiting requests are counted here when the server gives no total. */
const countedHere = 200;

export function SuspendAgentDialog({ agent, onClose }: SuspendAgentProps) {
  const queries = useQueryClient();
  const waiting = useQuery({
    queryKey: [...approvalsKey, 'of-agent', agent.id],
    queryFn: ({ signal }) =>
      listApprovals({ status: 'pending', agent_id: agent.id }, { limit: countedHere }, signal),
  });
  const suspend = useMutation({
    mutationFn: (body: { reason?: string; pending: 'cancel' | 'keep' }) => suspendAgent(agent.id, body),
    onSuccess: async () => {
      await Promise.all([
        queries.invalidateQueries({ queryKey: agentsKey }),
        queries.invalidateQueries({ queryKey: approvalsKey }),
      ]);
      onClose();
    },
  });
  const faults = formFaults(suspend.error, ['/reason']);
  return (
    <FormDialog
      title={`Suspend ${agent.name}?`}
      description="From now on every submission of it is denied and it gets no grant, until somebody resumes it."
      verb="Suspend"
      doing="Suspending…"
      isDoing={suspend.isPending}
      error={faults.general}
      onClose={onClose}
      onSubmit={(values) => {
        const reason = String(values.get('reason')).trim();
        suspend.mutate({
          pending: values.get('pending') === 'cancel' ? 'cancel' : 'keep',
          ...(reason === '' ? {} : { reason }),
        });
      }}
    >
      <TextArea
        label="Reason"
        hint="(optional, stands in the audit log)"
        name="reason"
        maxLength={2000}
        data-autofocus
        fault={faults.at('/reason')}
      />
      <fieldset>
        <legend>
          Its waiting requests{waiting.data === undefined ? '' : `: ${countText(waiting.data)}`}
        </legend>
        <label className="choice">
          <input type="radio" name="pending" value="keep" defaultChecked />
          <span>
            <b>Keep them waiting</b>
            They can be decided. Even when one is approved, the agent does not act while it is suspended.
          </span>
        </label>
        <label className="choice">
          <input type="radio" name="pending" value="cancel" />
          <span>
            <b>Cancel them</b>
            They end at once; the agent has to ask again after it is resumed.
          </span>
        </label>
      </fieldset>
    </FormDialog>
  );
}
