import type { Overview } from '../../api/overview.js';
import { type Column, Table } from '../../components/table.js';
import { type Bucket, bucketName } from '../../domain/overview-figures.js';

interface BucketTableProps {
  readonly caption: string;
  readonly overview: Pick<Overview, 'series' | 'bucket' | 'tz'>;
  readonly columns: readonly Column<Bucket>[];
}

/** Figures by day or hour. */
export const BucketTable = ({ caption, overview: { series, bucket, tz }, columns }: BucketTableProps) => (
  <Table<Bucket>
    caption={caption}
    rows={series}
    keyOf={({ start }) => start}
    columns={[
      {
        name: bucket === 'day' ? 'Day' : 'Hour',
        header: true,
        cell: ({ start }) => bucketName(start, bucket, tz),
      },
      ...columns,
    ]}
  />
);
