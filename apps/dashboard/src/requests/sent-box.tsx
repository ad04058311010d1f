import { HostileText } from '../components/hostile-text.js';
import { Icon } from '../components/icon.js';
import type { Approval } from '../api/types.js';
import { type Field, isMasked, orderedFields, valueText } from '../domain/fields.js';
import { plural } from '../domain/time-left.js';
import { BlockValue, isBlock, Masked } from './value.js';

const fieldsInTile = 6;

/** What the agent sent, as a tile shows it: set apart from our own words, and marked. */
export function SentBox({ approval }: { readonly approval: Approval }) {
  const fields = orderedFields(approval.metadata, approval.conditions_evaluated);
  const shown = fields.slice(0, fieldsInTile);
  const rest = fields.slice(fieldsInTile);
  const { masked } = approval;
  const isWide = (field: Field) => !isMasked(field.pointer, masked) && isBlock(valueText(field.value));
  const blocks = shown.filter(isWide);
  const rows = shown.filter((field) => !isWide(field));
  return (
    <div className="said" role="group" aria-label="Sent by the agent">
      <span className="src" aria-hidden="true">
        <Icon name="quote" />
        Sent by the agent
      </span>
      <div className="content">
        <div className="row">
          {fields.length === 0 ? (
            <p className="dim">No metadata</p>
          ) : (
            <FieldList approval={approval} fields={rows} />
          )}
        </div>
        {blocks.map(({ pointer, label, value }) => (
          <BlockWithLabel key={pointer} label={label} text={valueText(value)} />
        ))}
        {rest.length === 0 ? null : (
          <details>
            <summary>{plural(rest.length, 'more field')}</summary>
            <div className="row">
              <FieldList approval={approval} fields={rest.filter((field) => !isWide(field))} />
            </div>
            {rest.filter(isWide).map(({ pointer, label, value }) => (
              <BlockWithLabel key={pointer} label={label} text={valueText(value)} />
            ))}
          </details>
        )}
      </div>
    </div>
  );
}

const BlockWithLabel = ({ label, text }: { readonly label: string; readonly text: string }) => (
  <div className="blocked">
    <p className="name">
      <HostileText text={label} />
    </p>
    <BlockValue label="Value" text={text} />
  </div>
);

function FieldList({ approval, fields }: { readonly approval: Approval; readonly fields: readonly Field[] }) {
  const was = new Map(
    (approval.previous?.changed ?? [])
      .filter(({ change }) => change === 'changed')
      .map((change) => [change.field, change.was]),
  );
  if (fields.length === 0) return null;
  return (
    <dl>
      {fields.map(({ pointer, label, value }) => (
        <div key={pointer}>
          <dt>
            <HostileText text={label} />
          </dt>
          <dd>
            {isMasked(pointer, approval.masked) ? (
              <>
                <Masked />
                {was.has(pointer) ? <span className="was"> changed since last approved</span> : null}
              </>
            ) : (
              <>
                <HostileText text={valueText(value)} />
                {was.has(pointer) ? (
                  <span className="was">
                    {' '}
                    was <HostileText text={shortened(valueText(was.get(pointer)))} />
                  </span>
                ) : null}
              </>
            )}
          </dd>
        </div>
      ))}
    </dl>
  );
}

/** An earlier value only helps to compare; the request's page shows it whole. */
const shortened = (text: string): string =>
  text.length > 60 ? `${text.slice(0, 60)} …` : text === '' ? 'empty' : text;
