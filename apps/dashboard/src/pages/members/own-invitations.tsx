import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import {
  declineInvitation,
  type Invitation,
  invitationsKey,
  joinWorkspace,
  listInvitations,
} from '../../api/members.js';
import { sessionKey } from '../../api/session.js';
import { HostileText } from '../../components/hostile-text.js';
import { Alert, errorText } from '../../components/notices.js';
import { Table } from '../../components/table.js';
import { Time } from '../../components/time.js';

/** The workspaces that the person was invited to; nothing when there are none. */
export function OwnInvitations() {
  const queries = useQueryClient();
  const { data, error } = useQuery({ queryKey: invitationsKey, queryFn: () => listInvitations() });
  const after = async () => {
    await queries.invalidateQueries({ queryKey: invitationsKey });
    await queries.invalidateQueries({ queryKey: sessionKey });
  };
  const join = useMutation({ mutationFn: joinWorkspace, onSuccess: after });
  const decline = useMutation({ mutationFn: declineInvitation, onSuccess: after });
  const failed = join.error ?? decline.error ?? error;
  if ((data?.invitations.length ?? 0) === 0 && failed === null) return null;
  return (
    <section className="card invitations" aria-labelledby="invitations">
      <h2 id="invitations">You are invited</h2>
      {failed === null ? null : <Alert>{errorText(failed)}</Alert>}
      <Table<Invitation>
        caption="Invitations of yours"
        rows={data?.invitations ?? []}
        keyOf={({ id }) => id}
        columns={[
          {
            name: 'Workspace',
            header: true,
            cell: ({ workspace_name }) => <HostileText text={workspace_name} />,
          },
          { name: 'As', cell: ({ role }) => role },
          { name: 'Since', cell: ({ created_at }) => <Time at={created_at} /> },
          {
            name: 'Actions',
            cell: ({ id, status, workspace_name }) => (
              <span className="acts-cell">
                <button
                  className="btn"
                  type="button"
                  disabled={join.isPending}
                  onClick={() => join.mutate(id)}
                >
                  Join<span className="sr"> {workspace_name}</span>
                </button>
                {status === 'declined' ? (
                  <span className="soft">Declined</span>
                ) : (
                  <button
                    className="btn"
                    type="button"
                    disabled={decline.isPending}
                    onClick={() => decline.mutate(id)}
                  >
                    Decline<span className="sr"> {workspace_name}</span>
                  </button>
                )}
              </span>
            ),
          },
        ]}
      />
    </section>
  );
}
