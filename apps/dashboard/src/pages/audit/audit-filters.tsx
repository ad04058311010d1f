import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate } from '@tanstack/react-router';
import type { FormEvent } from 'react';
import { agentsKey, allAgents } from '../../api/agents.js';
import { allMembers, membersKey } from '../../api/members.js';
import { loadAll } from '../../api/paged.js';
import { listPolicies, policiesKey } from '../../api/policies.js';
import { Select, TextField } from '../../components/form.js';
import { type AuditSearch, instantOf, isSearched, localTimeOf } from './audit-search.js';

const eventTypes = [
  'action.executed', 'action.denied', 'action.requested', 'action.reported', 'approval.opened', 'approval.vote_cast',
  'approval.vote_withdrawn', 'approval.escalated', 'approval.policy_changed', 'approval.approved', 'approval.denied',
  'approval.timed_out', 'approval.cancelled', 'approval.grant_consumed', 'policy.created', 'policy.updated',
  'policy.activated', 'policy.deactivated', 'policy.deleted', 'policy.tampering_detected', 'agent.registered',
  'agent.suspended', 'agent.resumed', 'member.created', 'member.invited', 'key.created', 'key.rotated', 'key.revoked',
  'channel.created', 'channel.updated', 'channel.deleted', 'access.refused', 'delivery.dead', 'endpoint.disabled',
]; // prettier-ignore

const decisionNames = {
  executed: 'Allowed',
  denied: 'Denied',
  requested: 'Asked a person',
  escalated: 'Escalated',
  approved: 'Approved',
  timed_out: 'Timed out',
  cancelled: 'Withdrawn',
};

/** Everything that the log can be searched by; the result stands in the address. */
export function AuditFilters({ search }: { readonly search: AuditSearch }) {
  const navigate = useNavigate();
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const given = [...form].flatMap(([name, value]) => {
      const text = String(value).trim();
      const kept = name.endsWith('_time') ? instantOf(text) : text;
      return kept === undefined || kept === '' ? [] : [[name, kept]];
    });
    void navigate({ to: '/audit', search: Object.fromEntries(given) as AuditSearch });
  };
  const isOpen = isSearched(search);
  return (
    <details className="filter-box" open={isOpen}>
      <summary>Search</summary>
      {/* Another search means other first values. */}
      <form
        key={JSON.stringify(search)}
        className="filters"
        role="search"
        aria-label="Audit log"
        onSubmit={submit}
      >
        <TextField
          label="Event type"
          name="type"
          list="event-types"
          maxLength={255}
          defaultValue={search.type ?? ''}
          placeholder="approval.approved"
        />
        <datalist id="event-types">
          {eventTypes.map((type) => (
            <option key={type} value={type} />
          ))}
        </datalist>
        <Select label="Result" name="decision" defaultValue={search.decision ?? ''}>
          <option value="">Any</option>
          {Object.entries(decisionNames).map(([value, name]) => (
            <option key={value} value={value}>
              {name}
            </option>
          ))}
        </Select>
        <TextField
          label="Action type"
          name="action_type"
          maxLength={255}
          defaultValue={search.action_type ?? ''}
          placeholder="deploy.production"
        />
        <NamedChoices search={search} />
        <TextField
          label="Request"
          name="approval_id"
          maxLength={255}
          defaultValue={search.approval_id ?? ''}
          placeholder="apr_…"
        />
        <TextField
          label="From"
          name="from_time"
          type="datetime-local"
          defaultValue={localTimeOf(search.from_time)}
        />
        <TextField
          label="Before"
          name="to_time"
          type="datetime-local"
          defaultValue={localTimeOf(search.to_time)}
        />
        <button className="btn solid" type="submit">
          Search
        </button>
        {isOpen ? (
          <Link className="btn" to="/audit" search={{}}>
            Clear filters
          </Link>
        ) : null}
      </form>
    </details>
  );
}

/** Agents, people and policies by name; an id that no longer has a name stays selectable. */
function NamedChoices({ search }: { readonly search: AuditSearch }) {
  const agents = useQuery({ queryKey: [...agentsKey, 'all'], queryFn: allAgents }).data ?? [];
  const members = useQuery({ queryKey: [...membersKey, 'all'], queryFn: allMembers }).data ?? [];
  const policies =
    useQuery({
      queryKey: [...policiesKey, 'all'],
      queryFn: () =>
        loadAll(
          (cursor) => listPolicies({ cursor, limit: 200 }),
          (page) => page.policies,
        ),
    }).data ?? [];
  return (
    <>
      <NamedChoice label="Agent" name="agent_id" value={search.agent_id} options={agents} />
      <NamedChoice label="Person" name="operator_id" value={search.operator_id} options={members} />
      <NamedChoice label="Policy" name="policy_id" value={search.policy_id} options={policies} />
    </>
  );
}

interface NamedChoiceProps {
  readonly label: string;
  readonly name: string;
  readonly value: string | undefined;
  readonly options: readonly { readonly id: string; readonly name: string }[];
}

function NamedChoice({ label, name, value = '', options }: NamedChoiceProps) {
  const isKnown = value === '' || options.some(({ id }) => id === value);
  return (
    // Options that come later do not change what is selected, so the field starts anew with them.
    <Select key={options.length} label={label} name={name} defaultValue={value}>
      <option value="">Any</option>
      {isKnown ? null : <option value={value}>{value}</option>}
      {options.map((option) => (
        <option key={option.id} value={option.id}>
          {option.name}
        </option>
      ))}
    </Select>
  );
}
