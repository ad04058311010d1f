import { Link } from '@tanstack/react-router';
import type { Delivery } from '../../api/channels.js';
import { Dialog } from '../../components/dialog.js';
import { HostileText } from '../../components/hostile-text.js';
import { Time } from '../../components/time.js';
import { eventNames } from './event-names.js';

interface DeliveryDialogProps {
  readonly delivery: Delivery;
  readonly to: string;
  readonly onClose: () => void;
}

/** Every attempt of one delivery, and the mail itself where it was kept. */
export function DeliveryDialog({ delivery, to, onClose }: DeliveryDialogProps) {
  const { event_type, id, approval_id, attempts, attempts_made, mail } = delivery;
  return (
    <Dialog title={eventNames[event_type]} onClose={onClose}>
      <div className="wide stack">
        <dl className="pairs">
          <dt>To</dt>
          <dd>
            <HostileText text={to} />
          </dd>
          <dt>Delivery</dt>
          <dd>
            <code>{id}</code>
          </dd>
          {approval_id === null ? null : (
            <>
              <dt>Request</dt>
              <dd>
                <Link to="/approvals/$approvalId" params={{ approvalId: approval_id }}>
                  <code>{approval_id}</code>
                </Link>
              </dd>
            </>
          )}
        </dl>
        {mail === null ? null : <KeptMail mail={mail} />}
        <section aria-labelledby="attempts">
          <h3 id="attempts">
            Attempts
            {attempts_made > attempts.length
              ? `, the last ${String(attempts.length)} of ${String(attempts_made)}`
              : ''}
          </h3>
          {attempts.length === 0 ? <p className="soft">None yet.</p> : null}
          <ol className="attempts">
            {attempts.map(({ number, at, duration_ms, status, error, answer }) => (
              <li key={number}>
                <b>{number}.</b> <Time at={at} show="exact" />, {duration_ms.toLocaleString('en-US')} ms
                {status === null ? '' : `, answer ${String(status)}`}
                {error === null ? null : (
                  <span className="sub">
                    <HostileText text={error} />
                  </span>
                )}
                {answer === null || answer === '' ? null : (
                  <pre
                    className="json"
                    tabIndex={0}
                    role="group"
                    aria-label={`Answer to attempt ${String(number)}`}
                  >
                    <HostileText text={answer} />
                  </pre>
                )}
              </li>
            ))}
          </ol>
        </section>
      </div>
      <div className="ends">
        <button className="btn solid" type="button" data-autofocus onClick={onClose}>
          Done
        </button>
      </div>
    </Dialog>
  );
}

/** A mail that was not sent because no mail server is configured. Its text alone: no markup of it reaches this page. */
const KeptMail = ({
  mail: { from, to, subject, text },
}: {
  readonly mail: NonNullable<Delivery['mail']>;
}) => (
  <section aria-labelledby="mail">
    <h3 id="mail">The mail, kept here without its links</h3>
    <pre className="json" tabIndex={0} role="group" aria-label="The mail">
      <HostileText text={`From: ${from}\nTo: ${to.join(', ')}\nSubject: ${subject}\n\n${text}`} />
    </pre>
  </section>
);
