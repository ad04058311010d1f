import { useMutation, useQuery } from '@tanstack/react-query';
import { type FormEvent, useId, useState } from 'react';
import { agentsKey, allAgents } from '../../api/agents.js';
import { checkPolicy, type PolicyCheck } from '../../api/policies.js';
import { Select, TextArea, TextField } from '../../components/form.js';
import { formFaults } from '../../components/form-faults.js';
import { HostileText } from '../../components/hostile-text.js';
import { Icon } from '../../components/icon.js';
import { Alert } from '../../components/notices.js';
import { Suggestions } from '../../components/suggestions.js';
import { conditionText } from '../../domain/condition-text.js';
import { useRecentFields } from './use-completion.js';

const noObject = 'is not a JSON object, such as {"count": 3}';

function readObject(text: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(text.trim() === '' ? '{}' : text);
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : null;
  } catch {
    return null;
  }
}

/** Asks the policies what an agent would be answered now; nothing is recorded. */
export function TryOut({ actionType = '' }: { readonly actionType?: string }) {
  const id = useId();
  const { actionTypes } = useRecentFields();
  const agents = useQuery({ queryKey: [...agentsKey, 'all'], queryFn: allAgents }).data ?? [];
  const [metadataFault, setMetadataFault] = useState<string>();
  const check = useMutation({ mutationFn: checkPolicy });
  const faults = formFaults(check.error, ['/action_type', '/metadata', '/agent_id']);
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const metadata = readObject(String(form.get('metadata')));
    setMetadataFault(metadata === null ? noObject : undefined);
    if (metadata === null) return;
    const agentId = String(form.get('agent_id'));
    check.mutate({
      action_type: String(form.get('action_type')).trim(),
      metadata,
      ...(agentId === '' ? {} : { agent_id: agentId }),
    });
  };
  return (
    <section className="card try-out" aria-labelledby={`${id}t`}>
      <h2 id={`${id}t`}>
        Try an action <span className="dim">nothing is recorded</span>
      </h2>
      <form className="form" onSubmit={submit}>
        <div className="pair">
          <TextField
            label="Action type"
            name="action_type"
            required
            maxLength={255}
            list={`${id}a`}
            defaultValue={actionType.includes('*') ? actionType.replace('*', '') : actionType}
            autoCapitalize="none"
            spellCheck={false}
            fault={faults.at('/action_type')}
          />
          <Suggestions id={`${id}a`} values={actionTypes} />
          <Select label="Agent" name="agent_id" fault={faults.at('/agent_id')}>
            <option value="">No agent in particular</option>
            {agents.map((agent) => (
              <option key={agent.id} value={agent.id}>
                {agent.name}
              </option>
            ))}
          </Select>
        </div>
        <TextArea
          label="Metadata"
          hint="(JSON)"
          name="metadata"
          className="mono"
          spellCheck={false}
          defaultValue="{}"
          fault={metadataFault ?? faults.at('/metadata')}
        />
        {faults.general === null ? null : <Alert>{faults.general}</Alert>}
        <button className="btn" type="submit" disabled={check.isPending}>
          {check.isPending ? 'Trying…' : 'Try it'}
        </button>
      </form>
      <div role="status">{check.data === undefined ? null : <Result of={check.data} />}</div>
    </section>
  );
}

function Result({
  of: { allowed, needs_approval, policy_name, reason, conditions_evaluated },
}: {
  readonly of: PolicyCheck;
}) {
  const [tone, icon, title] = allowed
    ? (['ok', 'check', 'It would run at once'] as const)
    : needs_approval
      ? (['warn', 'people', 'A person would have to decide'] as const)
      : (['bad', 'x', 'It would be denied'] as const);
  return (
    <div className="result">
      <p>
        <span className={`tag ${tone}`}>
          <Icon name={icon} />
          {title}
        </span>{' '}
        <span className="soft">
          {policy_name === null ? (
            'No policy governs it.'
          ) : (
            <>
              By the policy <HostileText text={policy_name} />.
            </>
          )}{' '}
          {allowed || needs_approval ? '' : reason}
        </span>
      </p>
      {conditions_evaluated.length === 0 ? null : (
        <ul className="held">
          {conditions_evaluated.map((condition, i) => (
            <li key={i}>
              <Icon name={condition.result ? 'check' : 'x'} tone={condition.result ? 'g' : 'r'} />
              <code>{conditionText(condition)}</code>{' '}
              <span className="soft">{condition.result ? 'holds' : 'does not hold'}</span>
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}
