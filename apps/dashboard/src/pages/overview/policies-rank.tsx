import { Link } from '@tanstack/react-router';
import { useId } from 'react';
import type { Overview } from '../../api/overview.js';
import { HostileText } from '../../components/hostile-text.js';
import { Table } from '../../components/table.js';
import { secondsText } from '../../domain/overview-figures.js';

type Row = Overview['policies'][number];

const shownAtOnce = 6;

const readText = ({ median_seen_ms }: Row): string =>
  median_seen_ms === null
    ? 'reading time unknown'
    : `read ${secondsText(Math.round(median_seen_ms / 1_000))}`;

/** Where the attention of people goes, and where it is wasted. */
export function PoliciesRank({ overview: { policies } }: { readonly overview: Overview }) {
  const id = useId();
  const most = Math.max(1, ...policies.map(({ asked }) => asked));
  return (
    <section className="plot" aria-labelledby={id}>
      <h2 id={id}>Which policies use our attention?</h2>
      <p>Requests, how often the answer was no, and how long people read</p>
      {policies.length === 0 ? <p>No policy asked a person in this time.</p> : null}
      <ul className="rank">
        {policies.slice(0, shownAtOnce).map((row) => (
          <li key={row.policy_id}>
            <Link to="/policies/$policyId" params={{ policyId: row.policy_id }}>
              <HostileText text={row.name} />
            </Link>
            <span className="soft">
              {row.asked} asked · {row.denied} denied · {readText(row)}
            </span>
            <svg viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true">
              <rect width={(row.asked / most) * 100} height="8" className="f1" />
            </svg>
            {row.advice === null ? null : (
              <span className="say">
                Never denied and read in {secondsText(Math.round((row.median_seen_ms ?? 0) / 1_000))}:
                consider a condition instead.{' '}
                <Link to="/policies/$policyId/edit" params={{ policyId: row.policy_id }}>
                  Change the policy
                </Link>
              </span>
            )}
          </li>
        ))}
      </ul>
      <details>
        <summary>Show as a table</summary>
        <div className="plot-table">
          <Table<Row>
            caption="Policies by requests"
            rows={policies}
            keyOf={({ policy_id }) => policy_id}
            columns={[
              { name: 'Policy', header: true, cell: ({ name }) => <HostileText text={name} /> },
              { name: 'Asked', cell: ({ asked }) => asked },
              { name: 'Denied', cell: ({ denied }) => denied },
              { name: 'Timed out', cell: ({ timed_out }) => timed_out },
              {
                name: 'Read for, half',
                cell: ({ median_seen_ms }) =>
                  median_seen_ms === null ? 'Unknown' : secondsText(Math.round(median_seen_ms / 1_000)),
              },
            ]}
          />
        </div>
      </details>
    </section>
  );
}
