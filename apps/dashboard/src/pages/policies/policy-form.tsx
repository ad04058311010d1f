import type { PolicyDraft } from '../../domain/policy-draft.js';
import { Checkbox, Select, TextField } from '../../components/form.js';
import type { FormFaults } from '../../components/form-faults.js';
import { Suggestions } from '../../components/suggestions.js';
import { effectNames } from '../../domain/policy-text.js';
import { ConditionRows } from './condition-rows.js';
import { EscalationRows } from './escalation-rows.js';
import { GroupRows } from './group-rows.js';
import { useRecentFields } from './use-completion.js';

export interface PolicyFormProps {
  readonly draft: PolicyDraft;
  readonly faults: FormFaults;
  readonly onChange: (change: Partial<PolicyDraft>) => void;
}

/** Pointers of the fields; faults of others stand above the form. */
export const policyFields = [
  '/name', '/action_type', '/effect', '/conditions', '/condition_expression', '/on_fail', '/timeout', '/escalation',
  '/approvals_required', '/denials_required', '/approver_groups', '/separation_of_duties', '/on_removed', '/on_no_approver',
  '/active', '/notice',
]; // prettier-ignore

export function PolicyForm(props: PolicyFormProps) {
  const { draft, faults, onChange } = props;
  const { actionTypes } = useRecentFields();
  const asks =
    draft.effect === 'require_approval' || (draft.effect === 'conditional' && draft.on_fail !== 'deny');
  return (
    <>
      <section className="card form" aria-labelledby="what">
        <h2 id="what">What it governs</h2>
        <div className="pair">
          <TextField
            label="Name"
            required
            maxLength={120}
            value={draft.name}
            onChange={(event) => onChange({ name: event.currentTarget.value })}
            fault={faults.at('/name')}
          />
          <TextField
            label="Action type"
            required
            maxLength={255}
            list="action-types"
            autoCapitalize="none"
            spellCheck={false}
            value={draft.action_type}
            onChange={(event) => onChange({ action_type: event.currentTarget.value })}
            help="Exactly one, deploy.* for all that begin so, or * for every action."
            fault={faults.at('/action_type')}
          />
          <Suggestions id="action-types" values={actionTypes} />
        </div>
        <Select
          label="What happens"
          value={draft.effect}
          onChange={(event) => onChange({ effect: event.currentTarget.value as PolicyDraft['effect'] })}
          fault={faults.at('/effect')}
        >
          {Object.entries(effectNames).map(([value, name]) => (
            <option key={value} value={value}>
              {name}
            </option>
          ))}
        </Select>
        <Checkbox
          label="Active"
          checked={draft.active}
          onChange={(event) => onChange({ active: event.currentTarget.checked })}
          help="A policy that is not active governs nothing."
        />
      </section>
      {draft.effect === 'conditional' ? <ConditionRows {...props} /> : null}
      {asks ? <ApprovalTerms {...props} /> : null}
      {asks ? <EscalationRows {...props} /> : null}
    </>
  );
}

/** Who has to approve, how fast, and what happens when that cannot be. */
function ApprovalTerms(props: PolicyFormProps) {
  const { draft, faults, onChange } = props;
  return (
    <section className="card form" aria-labelledby="who">
      <h2 id="who">Who decides</h2>
      <div className="pair">
        <TextField
          label="Approvals needed"
          type="number"
          min={1}
          max={50}
          required
          value={draft.approvals_required}
          onChange={(event) => onChange({ approvals_required: event.currentTarget.value })}
          fault={faults.at('/approvals_required')}
        />
        <TextField
          label="Denials that end it"
          type="number"
          min={1}
          max={50}
          required
          value={draft.denials_required}
          onChange={(event) => onChange({ denials_required: event.currentTarget.value })}
          fault={faults.at('/denials_required')}
        />
        <TextField
          label="Timeout"
          required
          maxLength={40}
          value={draft.timeout}
          onChange={(event) => onChange({ timeout: event.currentTarget.value })}
          help="Such as 90s, 30m or 8h. After it the agent is denied."
          fault={faults.at('/timeout')}
        />
      </div>
      <TextField
        label="Warning for the people who decide"
        hint="(optional)"
        maxLength={80}
        value={draft.notice}
        onChange={(event) => onChange({ notice: event.currentTarget.value })}
        help="Stands on every request of this policy, such as “Cannot be undone”."
        fault={faults.at('/notice')}
      />
      <GroupRows {...props} />
      <Checkbox
        label="The owner of the agent may not decide"
        checked={draft.separation_of_duties}
        onChange={(event) => onChange({ separation_of_duties: event.currentTarget.checked })}
      />
      <div className="pair">
        <Select
          label="When no one may decide"
          value={draft.on_no_approver}
          onChange={(event) =>
            onChange({ on_no_approver: event.currentTarget.value as PolicyDraft['on_no_approver'] })
          }
          fault={faults.at('/on_no_approver')}
        >
          <option value="escalate">Escalate at once</option>
          <option value="deny">Deny at once</option>
        </Select>
        <Select
          label="Waiting requests, when this policy is removed"
          value={draft.on_removed}
          onChange={(event) =>
            onChange({ on_removed: event.currentTarget.value as PolicyDraft['on_removed'] })
          }
          help="Only those that no other policy governs."
          fault={faults.at('/on_removed')}
        >
          <option value="approve">are approved</option>
          <option value="deny">are denied</option>
          <option value="keep">stay waiting</option>
        </Select>
      </div>
    </section>
  );
}
