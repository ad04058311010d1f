import { useMutation } from '@tanstack/react-query';
import { useRef, useState } from 'react';
import { auditEntries, verifyAudit } from '../../api/audit.js';
import { errorText } from '../../components/notices.js';

const pageOfEntries = 1_000;

/** Gives a file to the person as a download. */
function save(name: string, parts: readonly string[]): void {
  const address = URL.createObjectURL(new Blob([...parts], { type: 'application/x-ndjson' }));
  const link = document.createElement('a');
  link.href = address;
  link.download = name;
  link.click();
  // After the browser took it over.
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
}

/** What a person needs to check the log on a machine of their own. */
export function Downloads() {
  const [done, setDone] = useState(0);
  const stopped = useRef(false);
  const download = useMutation({
    mutationFn: async () => {
      stopped.current = false;
      setDone(0);
      const parts: string[] = [];
      let from = 0;
      for (;;) {
        const entries = await auditEntries(from, pageOfEntries);
        if (entries.length === 0 || stopped.current) break;
        parts.push(...entries.map((entry) => `${entry}\n`));
        from += entries.length;
        setDone(from);
      }
      if (!stopped.current) save('audit-log.ndjson', parts);
    },
  });
  const total = useMutation({ mutationFn: () => verifyAudit(false) });
  const all = total.data?.verified_through_row;
  return (
    <section className="card downloads" aria-labelledby="downloads">
      <h2 id="downloads">Check it yourself</h2>
      <p className="fine">
        The entries, the signed checkpoint and the key are enough to verify the log without this server.
      </p>
      <div className="links-line">
        <button
          className="btn"
          type="button"
          disabled={download.isPending}
          onClick={() => {
            total.mutate();
            download.mutate();
          }}
        >
          Download the entries
        </button>
        <a className="btn" href="/api/v1/audit/checkpoint" download="checkpoint.txt">
          Download the checkpoint
        </a>
        <a className="btn" href="/api/v1/audit/key" download="audit-key.txt">
          Download the key
        </a>
      </div>
      {download.isPending ? (
        <div className="checking">
          <progress
            aria-label="Downloading the entries"
            {...(all === undefined ? {} : { max: all, value: done })}
          />
          <p className="links-line">
            <span className="fine">
              {done.toLocaleString('en-US')}
              {all === undefined ? '' : ` of about ${all.toLocaleString('en-US')}`} entries
            </span>
            <button className="btn" type="button" onClick={() => (stopped.current = true)}>
              Stop
            </button>
          </p>
        </div>
      ) : null}
      {download.error === null ? null : (
        <p className="fault" role="alert">
          The download did not finish. {errorText(download.error)}
        </p>
      )}
    </section>
  );
}
