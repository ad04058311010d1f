import type { AuditVerification } from '@agentlattice/contracts';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { auditKey, verifyAudit } from '../../api/audit.js';
import { useAnnounce } from '../../components/announcer.js';
import { Icon } from '../../components/icon.js';
import { errorText } from '../../components/notices.js';
import { Time } from '../../components/time.js';
import { verdictText } from '../../domain/verdict-text.js';

const verificationKey = [...auditKey, 'verification'] as const;

/** The last check of the log. */
export const useVerification = () =>
  useQuery({ queryKey: verificationKey, queryFn: () => verifyAudit(false) });

/** Whether the log is intact, and a button that checks it now from its first entry. */
export function LogVerdict() {
  const queries = useQueryClient();
  const announce = useAnnounce();
  const last = useVerification();
  const check = useMutation({
    mutationFn: () => verifyAudit(true),
    onSuccess: (verification) => {
      queries.setQueryData(verificationKey, verification);
      announce(verdictText(verification).title);
    },
  });
  return (
    <section className="card verdict-card" aria-labelledby="verdict">
      <div className="verdict">
        <Verdict verification={last.data} error={last.error} />
        <button className="btn" type="button" disabled={check.isPending} onClick={() => check.mutate()}>
          {check.isPending ? 'Verifying…' : 'Verify now'}
        </button>
      </div>
      {check.isPending ? (
        <div className="checking">
          <progress aria-label="Verifying the log" />
          <p className="fine">Every entry is hashed again and compared with the signed checkpoint.</p>
        </div>
      ) : null}
      {check.error === null ? null : (
        <p className="fault" role="alert">
          The check did not finish. {errorText(check.error)}
        </p>
      )}
    </section>
  );
}

interface VerdictProps {
  readonly verification: AuditVerification | undefined;
  readonly error: unknown;
}

function Verdict({ verification, error }: VerdictProps) {
  if (verification === undefined)
    return (
      <p id="verdict">
        {error === null ? 'Asking for the last check…' : `The last check is not known. ${errorText(error)}`}
      </p>
    );
  const { isIntact, title, detail } = verdictText(verification);
  const { timestamp, complete, first_broken_at_seq } = verification;
  return (
    <>
      <span className={`tag ${isIntact ? 'ok' : 'bad'}`}>
        <Icon name={isIntact ? 'shield' : 'warn'} />
        <b id="verdict">{title}</b>
      </span>
      <span className="soft">
        {detail} Checked <Time at={timestamp} />
        {complete ? '.' : '; a newer full check still runs.'}
        {first_broken_at_seq === null ? null : (
          <>
            {' '}
            <Link to="/audit/$seq" params={{ seq: String(first_broken_at_seq) }}>
              Show that entry
            </Link>
          </>
        )}
      </span>
    </>
  );
}
