import type { ReactNode } from 'react';
import type { Approval } from '../../api/types.js';
import { HostileText } from '../../components/hostile-text.js';
import { Time } from '../../components/time.js';
import { type ComparedField, compared } from '../../domain/comparison.js';
import { isMasked, orderedFields, valueText } from '../../domain/fields.js';
import { plural } from '../../domain/time-left.js';
import { BlockValue, CopyButton, isBlock, Masked } from '../../requests/value.js';

/** All that the agent sent, next to the last approved request of the same agent and action. */
export function SentTable({ approval }: { readonly approval: Approval }) {
  const { previous, data_accessed, metadata } = approval;
  const fields = orderedFields(metadata, approval.conditions_evaluated);
  const rows = compared(fields, previous?.changed ?? []).filter(
    ({ pointer }) => !pointer.startsWith('/data_accessed'),
  );
  const hasPrevious = previous !== undefined && previous !== null;
  const accessed = data_accessed.length;
  const raw = JSON.stringify({ metadata, data_accessed }, null, 2);
  return (
    <section className="card" aria-labelledby="sent">
      <h2 id="sent">
        What the agent sent{' '}
        <span className="dim">
          {hasPrevious ? (
            <>
              next to the last approved request, <Time at={previous.decided_at} />
            </>
          ) : previous === null ? (
            'no request of this agent and action was approved before'
          ) : null}
        </span>
      </h2>
      {rows.length === 0 ? (
        <p className="soft">The agent sent no metadata.</p>
      ) : (
        <table className="cmp">
          <caption className="sr">
            Fields of the request{hasPrevious ? ' and their last approved values' : ''}
          </caption>
          <thead>
            <tr>
              <th scope="col">Field</th>
              <th scope="col">This request</th>
              {hasPrevious ? <th scope="col">Last approved</th> : null}
            </tr>
          </thead>
          <tbody>
            {rows.map((row) => (
              <FieldRow key={row.pointer} row={row} approval={approval} hasPrevious={hasPrevious} />
            ))}
          </tbody>
        </table>
      )}
      <details>
        <summary>Data accessed, {plural(accessed, 'item')}, and raw JSON</summary>
        {accessed === 0 ? null : (
          <BlockValue label="Data accessed" text={JSON.stringify(data_accessed, null, 2)} />
        )}
        <BlockValue label="Raw JSON" text={raw} />
        <p className="fine">
          Covered by the digest <code className="digest">{approval.action_digest}</code>{' '}
          <CopyButton text={approval.action_digest} what="the digest" />
        </p>
      </details>
    </section>
  );
}

interface FieldRowProps {
  readonly row: ComparedField;
  readonly approval: Approval;
  readonly hasPrevious: boolean;
}

function FieldRow({ row, approval, hasPrevious }: FieldRowProps) {
  const { pointer, label, value, isChanged, isAdded, isRemoved, was } = row;
  const masked = row.isMasked || isMasked(pointer, approval.masked);
  const isNotCompared = !isChanged && approval.previous?.changed_truncated === true;
  return (
    <tr className={isChanged && hasPrevious ? 'ch' : undefined}>
      <th scope="row">
        <HostileText text={label} />
        {isChanged && hasPrevious ? <span className="sr"> (changed)</span> : null}
      </th>
      <td>{isRemoved ? <span className="dim">not sent</span> : masked ? <Masked /> : shown(value)}</td>
      {hasPrevious ? (
        <td className="was">
          {isNotCompared ? (
            <span className="dim">not compared</span>
          ) : isAdded ? (
            <span className="dim">not sent</span>
          ) : masked ? (
            isChanged ? (
              'changed since last approved'
            ) : (
              <Masked />
            )
          ) : (
            shown(was)
          )}
        </td>
      ) : null}
    </tr>
  );
}

function shown(value: unknown): ReactNode {
  const text = valueText(value);
  if (text === '') return <span className="dim">empty</span>;
  return isBlock(text) ? <BlockValue label="Value" text={text} /> : <HostileText text={text} />;
}
