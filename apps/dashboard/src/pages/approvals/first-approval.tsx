import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { call } from '../../api/client.js';
import type { Approval } from '../../api/types.js';
import { errorText } from '../../components/notices.js';
import { CopyButton } from '../../requests/value.js';
import { useIsAdmin } from '../../session/session-context.js';

interface FirstApprovalProps {
  /** The first request that was decided; null while there is none. */
  readonly decided: Pick<Approval, 'id' | 'action_type'> | null;
  readonly isWaiting: boolean;
}

interface PolicyPage {
  readonly policies: readonly {
    readonly action_type: string;
    readonly effect: string;
    readonly active: boolean;
  }[];
}

const action = 'deploy.production';
const samplePolicy = { name: 'Production deploys', action_type: action, effect: 'require_approval' };

/** The way to the first decision, for a workspace that has had none. Steps that are done tick themselves. */
export function FirstApproval({ decided, isWaiting }: FirstApprovalProps) {
  const isAdmin = useIsAdmin();
  const queries = useQueryClient();
  const policies = useQuery({
    queryKey: ['policies', 'first'],
    queryFn: () => call<PolicyPage>('GET', '/api/v1/policies', { query: { limit: 200 } }),
  });
  const make = useMutation({
    mutationFn: () => call<unknown>('POST', '/api/v1/policies', { body: samplePolicy }),
    onSuccess: () => queries.invalidateQueries({ queryKey: ['policies'] }),
  });
  const asks = policies.data?.policies.find(
    ({ effect, active }) => active && (effect === 'require_approval' || effect === 'conditional'),
  );
  const command = `AL_BASE_URL=${window.location.origin} npx al gate ${asks?.action_type ?? action} --metadata '{"service":"api"}'`;
  return (
    <section className="card first" aria-labelledby="first">
      <h2 id="first">
        Your first approval <span className="dim">about two minutes</span>
      </h2>
      <ol className="steps">
        <li className="done">
          <b>Workspace and admin</b>
          <span className="soft">made at the first start</span>
        </li>
        <li className={asks === undefined ? undefined : 'done'}>
          <b>A policy that asks</b>
          <span className="soft">
            Every <code>{asks?.action_type ?? action}</code> waits for a person.
          </span>
          {asks === undefined && isAdmin ? (
            <span>
              <button className="btn" type="button" disabled={make.isPending} onClick={() => make.mutate()}>
                Make this policy
              </button>
              {make.error === null ? null : <span role="alert"> {errorText(make.error)}</span>}
            </span>
          ) : null}
        </li>
        <li className={isWaiting || decided !== null ? 'done' : undefined}>
          <b>Let an agent ask</b>
          <span className="soft">
            Run this with an agent’s key in <code>AL_API_KEY</code>; the request appears here within a second.
          </span>
          <span className="cmd">
            <code>{command}</code>
            <CopyButton text={command} what="the command" />
          </span>
        </li>
        <li className={decided === null ? undefined : 'done'}>
          <b>Decide it</b>
          {decided === null ? (
            <span className="soft">The command returns at once, and the audit log has both events.</span>
          ) : (
            <Link className="btn" to="/audit" search={{ approval_id: decided.id }}>
              See both events in the audit log
            </Link>
          )}
        </li>
      </ol>
    </section>
  );
}
