import type { ReactNode } from 'react';
import type { Paged } from '../api/paged.js';
import { LoadingTiles } from './loading.js';
import { ErrorState } from './notices.js';
import { type Column, Table } from './table.js';

interface PagedTableProps<Row> {
  readonly paged: Paged<Row>;
  readonly caption: string;
  readonly columns: readonly Column<Row>[];
  readonly keyOf: (row: Row) => string;
  readonly empty: ReactNode;
  /** On the button that loads the next page. */
  readonly moreName: string;
}

/** A list that comes page by page, with what stands in its place while it is loading, empty or not there. */
export function PagedTable<Row>({ paged, caption, columns, keyOf, empty, moreName }: PagedTableProps<Row>) {
  const { items, error, hasMore, isLoadingMore, more, retry } = paged;
  if (items === undefined)
    return error === null ? <LoadingTiles count={2} /> : <ErrorState error={error} onRetry={retry} />;
  if (items.length === 0) return empty;
  return (
    <div className="card">
      <Table caption={caption} columns={columns} rows={items} keyOf={keyOf} />
      {hasMore ? (
        <button className="btn" type="button" disabled={isLoadingMore} onClick={more}>
          {isLoadingMore ? 'Loading…' : moreName}
        </button>
      ) : null}
    </div>
  );
}
