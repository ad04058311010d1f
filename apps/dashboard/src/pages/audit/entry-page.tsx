import { useQuery } from '@tanstack/react-query';
import { Link, Navigate, useParams } from '@tanstack/react-router';
import { auditEntries, auditKey, listAudit } from '../../api/audit.js';
import { LoadingTiles } from '../../components/loading.js';
import { EmptyState, ErrorState } from '../../components/notices.js';
import { PageHead } from '../../components/page-head.js';
import { leafHashOf, noHash, readLogEntry } from '../../domain/log-entry.js';
import { EntryFacts } from './entry-facts.js';
import { EntryHashes } from './entry-hashes.js';

const eventOf = async (id: string) => (await listAudit({ event_id: id }, { limit: 1 })).events[0];

const retryMs = 2_000;

/** One entry with its neighbours: `prev_hash` of each is compared here with the hash of the one before. */
async function loadEntry(seq: number) {
  const from = Math.max(0, seq - 1);
  const lines = await auditEntries(from, 3);
  const bytes = lines[seq - from];
  if (bytes === undefined) return null;
  const entry = readLogEntry(bytes);
  if (entry === null) throw new Error('The server sent something that is no entry of the log');
  const before = seq === 0 ? undefined : lines[0];
  const after = lines[seq - from + 1];
  // Browsers give the hash function only to pages over https or on this machine.
  const { subtle } = globalThis.crypto as { subtle?: SubtleCrypto };
  const event = await eventOf(entry.id);
  return {
    bytes,
    entry,
    event,
    computed:
      subtle === undefined
        ? null
        : {
            own: await leafHashOf(bytes, subtle),
            before: before === undefined ? noHash : await leafHashOf(before, subtle),
          },
    after: after === undefined ? null : readLogEntry(after),
  };
}
export type LoadedEntry = NonNullable<Awaited<ReturnType<typeof loadEntry>>>;

export function EntryPage() {
  const { seq } = useParams({ from: '/shell/audit/$seq' });
  if (seq.startsWith('evt_')) return <EntryOfEvent eventId={seq} />;
  const number = /^\d{1,15}$/.test(seq) ? Number(seq) : null;
  return (
    <>
      <PageHead
        title={number === null ? 'No such entry' : `Entry ${number.toLocaleString('en-US')}`}
        lead={
          <Link to="/audit" search={{}}>
            Back to the audit log
          </Link>
        }
      />
      {number === null ? <NoEntry /> : <Entry seq={number} />}
    </>
  );
}

/** Links of other pages name the event; the log names its entries by their number. */
function EntryOfEvent({ eventId }: { readonly eventId: string }) {
  const { data, error, refetch } = useQuery({
    queryKey: [...auditKey, 'event', eventId],
    queryFn: async () => (await eventOf(eventId)) ?? null,
    // An event of this moment is not in the log yet.
    refetchInterval: ({ state }) => (state.data === null ? retryMs : false),
  });
  if (data !== undefined && data !== null)
    return <Navigate to="/audit/$seq" params={{ seq: String(data.seq) }} replace />;
  return (
    <>
      <PageHead title="Entry" />
      {data === null ? (
        <NoEntry />
      ) : error === null ? (
        <LoadingTiles count={1} />
      ) : (
        <ErrorState error={error} onRetry={() => void refetch()} />
      )}
    </>
  );
}

const NoEntry = () => (
  <EmptyState icon="log" title="The log has no such entry">
    <Link to="/audit" search={{}}>
      To the newest entries
    </Link>
  </EmptyState>
);

function Entry({ seq }: { readonly seq: number }) {
  const { data, error, refetch } = useQuery({
    queryKey: [...auditKey, 'entry', seq],
    queryFn: () => loadEntry(seq),
  });
  if (data === undefined)
    return error === null ? (
      <LoadingTiles count={1} />
    ) : (
      <ErrorState error={error} onRetry={() => void refetch()} />
    );
  if (data === null) return <NoEntry />;
  return (
    <div className="split">
      <div className="stack">
        <EntryFacts loaded={data} />
        <section className="card" aria-labelledby="bytes">
          <h2 id="bytes">
            What was hashed <span className="dim">these exact bytes</span>
          </h2>
          <pre className="json" tabIndex={0} role="group" aria-label="The bytes of the entry">
            {data.bytes}
          </pre>
        </section>
      </div>
      <EntryHashes loaded={data} />
    </div>
  );
}
