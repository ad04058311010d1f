import type { ConditionOperator } from '@agentlattice/contracts';
import { useId } from 'react';
import { Select, TextArea, TextField } from '../../components/form.js';
import { Suggestions } from '../../components/suggestions.js';
import { valueNote } from '../../domain/condition-value.js';
import { type ConditionDraft, emptyCondition, type PolicyDraft } from '../../domain/policy-draft.js';
import type { PolicyFormProps } from './policy-form.js';
import { RowList } from './row-list.js';
import { useRecentFields } from './use-completion.js';

const operatorNames: Readonly<Record<ConditionOperator, string>> = {
  eq: 'is',
  neq: 'is not',
  lt: 'is less than',
  lte: 'is at most',
  gt: 'is more than',
  gte: 'is at least',
  in: 'is one of',
  not_in: 'is none of',
  contains: 'contains',
  not_contains: 'does not contain',
  starts_with: 'begins with',
  ends_with: 'ends with',
  matches: 'matches the pattern',
  exists: 'exists',
};

/** When the action runs without a person. */
export function ConditionRows({ draft, faults, onChange }: PolicyFormProps) {
  const { paths } = useRecentFields();
  const id = useId();
  return (
    <section className="card form" aria-labelledby={`${id}c`}>
      <h2 id={`${id}c`}>When it runs alone</h2>
      <Suggestions id={`${id}p`} values={paths} />
      <RowList<ConditionDraft>
        name="Condition"
        fault={faults.at('/conditions')}
        help="All must hold. A field that is missing or has another type does not hold."
        rows={draft.conditions}
        empty={emptyCondition}
        onChange={(conditions) => onChange({ conditions })}
        row={(condition, i, change) => (
          <div className="pair">
            <TextField
              label="Field"
              required
              maxLength={255}
              list={`${id}p`}
              autoCapitalize="none"
              spellCheck={false}
              value={condition.field}
              onChange={(event) => change({ field: event.currentTarget.value })}
              fault={faults.at(`/conditions/${String(i)}/field`) ?? faults.at(`/conditions/${String(i)}`)}
            />
            <Select
              label="Operator"
              value={condition.operator}
              onChange={(event) => change({ operator: event.currentTarget.value as ConditionOperator })}
              fault={faults.at(`/conditions/${String(i)}/operator`)}
            >
              {Object.entries(operatorNames).map(([value, name]) => (
                <option key={value} value={value}>
                  {name}
                </option>
              ))}
            </Select>
            <ValueField
              condition={condition}
              onChange={change}
              fault={
                faults.at(`/conditions/${String(i)}/value`) ??
                faults.below(`/conditions/${String(i)}/value`)[0]
              }
            />
          </div>
        )}
      />
      <TextArea
        label="Expression"
        hint="(optional, CEL; must hold too)"
        className="mono"
        maxLength={4096}
        spellCheck={false}
        value={draft.condition_expression}
        onChange={(event) => onChange({ condition_expression: event.currentTarget.value })}
        help="For example metadata.amount < 500 && time.hour >= 8"
        fault={faults.at('/condition_expression')}
      />
      <Select
        label="Otherwise"
        value={draft.on_fail}
        onChange={(event) => onChange({ on_fail: event.currentTarget.value as PolicyDraft['on_fail'] })}
        fault={faults.at('/on_fail')}
      >
        <option value="require_approval">a person decides</option>
        <option value="deny">the agent is denied</option>
      </Select>
    </section>
  );
}

interface ValueFieldProps {
  readonly condition: ConditionDraft;
  readonly onChange: (change: Partial<ConditionDraft>) => void;
  readonly fault: string | undefined;
}

function ValueField({ condition: { operator, value }, onChange, fault }: ValueFieldProps) {
  if (operator === 'exists')
    return (
      <Select
        label="Value"
        value={value === 'false' ? 'false' : 'true'}
        onChange={(event) => onChange({ value: event.currentTarget.value })}
        fault={fault}
      >
        <option value="true">it is there</option>
        <option value="false">it is missing</option>
      </Select>
    );
  const note = valueNote(operator, value);
  return (
    <TextField
      label="Value"
      maxLength={4096}
      autoCapitalize="none"
      spellCheck={false}
      value={value}
      onChange={(event) => onChange({ value: event.currentTarget.value })}
      help={
        note === ''
          ? 'Values are compared with their type: "10" in quotation marks is a text.'
          : `Compared with ${note}.`
      }
      fault={fault}
    />
  );
}
