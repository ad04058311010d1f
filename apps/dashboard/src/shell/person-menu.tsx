import { useMutation, useQueryClient } from '@tanstack/react-query';
import { Link, useRouter } from '@tanstack/react-router';
import { useId } from 'react';
import { ApiRefusal } from '../api/client.js';
import { sessionKey, signOut, switchWorkspace } from '../api/session.js';
import { Alert, errorText } from '../components/notices.js';
import { useSession } from '../session/session-context.js';

const roleNames = { viewer: 'Viewer', member: 'Member', admin: 'Admin' } as const;

export const initialsOf = (name: string): string =>
  name
    .split(/\s+/)
    .map((part) => [...part][0] ?? '')
    .join('')
    .slice(0, 2)
    .toUpperCase();

/** Ends the session. One that is no longer there is ended already; where no answer comes, the person may still be signed in. */
function useSignOut() {
  const queries = useQueryClient();
  const router = useRouter();
  return useMutation({
    mutationFn: async () => {
      try {
        await signOut();
      } catch (error) {
        if (!(error instanceof ApiRefusal) || (error.status !== 404 && error.status !== 401)) throw error;
      }
    },
    onSuccess: async () => {
      queries.clear();
      queries.setQueryData(sessionKey, null);
      await router.navigate({ to: '/sign-in', search: {} });
    },
  });
}

/** Who is signed in, in which workspace, and what a person does with that. */
export function PersonMenu() {
  const { member, workspace_name } = useSession();
  const id = useId();
  return (
    <div className="me">
      <button type="button" className="me-button" popoverTarget={id}>
        <span className="ava" aria-hidden="true">
          {initialsOf(member.name)}
        </span>
        <span className="me-text">
          <b>{member.name}</b>
          <br />
          <span className="soft">
            {roleNames[member.role]} · {workspace_name}
          </span>
          <span className="sr">, account</span>
        </span>
      </button>
      <div id={id} popover="auto" className="menu">
        <AccountActions />
      </div>
    </div>
  );
}

export function AccountActions() {
  const { workspaces, org_id } = useSession();
  const leave = useSignOut();
  const id = useId();
  const change = useMutation({
    mutationFn: switchWorkspace,
    // A new load: nothing of the other workspace stays in the page, nor in its stream of events.
    onSuccess: () => window.location.assign('/approvals'),
  });
  return (
    <div className="account">
      {workspaces.length > 1 ? (
        <div>
          <label className="lab" htmlFor={id}>
            Workspace
          </label>
          <select
            id={id}
            className="text"
            value={org_id}
            disabled={change.isPending}
            onChange={(event) => change.mutate(event.currentTarget.value)}
          >
            {workspaces.map((workspace) => (
              <option key={workspace.org_id} value={workspace.org_id}>
                {workspace.name}
              </option>
            ))}
          </select>
        </div>
      ) : null}
      <Link className="btn" to="/preferences">
        Preferences
      </Link>
      <button className="btn" type="button" disabled={leave.isPending} onClick={() => leave.mutate()}>
        Sign out
      </button>
      {leave.error === null ? null : <Alert>You may still be signed in. {errorText(leave.error)}</Alert>}
      {change.error === null ? null : <Alert>{errorText(change.error)}</Alert>}
    </div>
  );
}
