import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { HostileText } from '../../components/hostile-text.js';
import { Time } from '../../components/time.js';
import { valueText } from '../../domain/fields.js';
import { DecisionTag } from './decision-tag.js';
import type { LoadedEntry } from './entry-page.js';

/** What happened, in the members that the entry has. */
export function EntryFacts({ loaded: { entry, event } }: { readonly loaded: LoadedEntry }) {
  const { agent, operator, policy, approval_id, reason, note, action_type } = event ?? {};
  return (
    <section className="card" aria-labelledby="facts">
      <h2 id="facts" className="mono">
        {entry.type}
      </h2>
      <dl className="pairs">
        <Fact name="When">
          <Time at={entry.time} show="exact" />
        </Fact>
        {event === undefined ? null : (
          <Fact name="Result">
            <DecisionTag event={event} />
          </Fact>
        )}
        {action_type === null || action_type === undefined ? null : (
          <Fact name="Action">
            <code>{action_type}</code>
          </Fact>
        )}
        {agent === null || agent === undefined ? null : (
          <Fact name="Agent">
            <Link to="/audit" search={{ agent_id: agent.id }}>
              <HostileText text={agent.name} />
            </Link>
          </Fact>
        )}
        {operator === null || operator === undefined ? null : (
          <Fact name="Person">
            <HostileText text={operator.name ?? operator.id} />{' '}
            <span className="soft">by {operator.via}</span>
          </Fact>
        )}
        {reason === null || reason === undefined ? null : (
          <Fact name="Reason">
            <HostileText text={reason} />
          </Fact>
        )}
        {note === null || note === undefined ? null : (
          <Fact name="Note">
            <HostileText text={note} />
          </Fact>
        )}
        {policy === null || policy === undefined ? null : (
          <Fact name="Policy">
            <Link to="/policies/$policyId" params={{ policyId: policy.id }}>
              <HostileText text={policy.name} />
            </Link>{' '}
            <span className="soft">version {policy.version}</span>
          </Fact>
        )}
        {approval_id === null || approval_id === undefined ? null : (
          <Fact name="Request">
            <Link to="/approvals/$approvalId" params={{ approvalId: approval_id }}>
              <code>{approval_id}</code>
            </Link>
          </Fact>
        )}
        <Fact name="Event">
          <code>{entry.id}</code>
        </Fact>
        <Fact name="Recorded by">
          {entry.source}, its event {entry.source_seq.toLocaleString('en-US')}
        </Fact>
      </dl>
      {event === undefined || Object.keys(event.metadata).length === 0 ? null : (
        <details>
          <summary>What the agent sent</summary>
          <pre className="json" tabIndex={0} role="group" aria-label="What the agent sent">
            <HostileText text={valueText(event.metadata)} />
          </pre>
        </details>
      )}
    </section>
  );
}

const Fact = ({ name, children }: { readonly name: string; readonly children: ReactNode }) => (
  <>
    <dt>{name}</dt>
    <dd>{children}</dd>
  </>
);
