import { type ReactNode, useRef } from 'react';

interface RowListProps<Row> {
  /** What one row is: `Condition`. */
  readonly name: string;
  readonly help?: string;
  readonly fault: string | undefined;
  readonly rows: readonly Row[];
  readonly empty: Row;
  readonly onChange: (rows: readonly Row[]) => void;
  readonly row: (row: Row, index: number, change: (change: Partial<Row>) => void) => ReactNode;
}

/** Rows that can be added and removed; focus goes to the new row, and back to the button after a removal. */
export function RowList<Row>({ name, help, fault, rows, empty, onChange, row }: RowListProps<Row>) {
  const list = useRef<HTMLDivElement>(null);
  const adder = useRef<HTMLButtonElement>(null);
  const add = () => {
    onChange([...rows, empty]);
    requestAnimationFrame(() =>
      list.current?.querySelector<HTMLElement>('.row-item:last-of-type :is(input, select)')?.focus(),
    );
  };
  return (
    <div className="row-list" ref={list}>
      {help === undefined ? null : <p className="fine">{help}</p>}
      {rows.map((item, i) => (
        <div key={i} className="row-item" role="group" aria-label={`${name} ${String(i + 1)}`}>
          {row(item, i, (change) =>
            onChange(rows.map((other, at) => (at === i ? { ...other, ...change } : other))),
          )}
          <button
            className="btn quiet"
            type="button"
            onClick={() => {
              onChange(rows.filter((_, at) => at !== i));
              adder.current?.focus();
            }}
          >
            Remove
            <span className="sr">
              {' '}
              {name.toLowerCase()} {i + 1}
            </span>
          </button>
        </div>
      ))}
      {fault === undefined ? null : <p className="fault">{fault}</p>}
      <button className="btn" type="button" ref={adder} onClick={add}>
        Add a {name.toLowerCase()}
      </button>
    </div>
  );
}
