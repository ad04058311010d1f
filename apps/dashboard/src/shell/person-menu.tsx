import { useQueryClient } from '@tanstack/react-query';
import { Link, useRouter } from '@tanstack/react-router';
import { useId } from 'react';
import { sessionKey, signOut, switchWorkspace } from '../api/session.js';
import { forgetAnswers, useSession } from '../session/session-context.js';

const roleNames = { viewer: 'Viewer', member: 'Member', admin: 'Admin' } as const;

export const initialsOf = (name: string): string =>
  name
    .split(/\s+/)
    .map((part) => [...part][0] ?? '')
    .join('')
    .slice(0, 2)
    .toUpperCase();

/** Ends the session here; the cookie is gone even when the answer is lost, because the server deletes the session first. */
export function useSignOut(): () => Promise<void> {
  const queries = useQueryClient();
  const router = useRouter();
  return async () => {
    await signOut();
    queries.clear();
    queries.setQueryData(sessionKey, null);
    await router.navigate({ to: '/sign-in', search: {} });
  };
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
  const queries = useQueryClient();
  const router = useRouter();
  const leave = useSignOut();
  const id = useId();
  const change = async (orgId: string) => {
    const session = await switchWorkspace(orgId);
    // Not cleared: what shows the session would not hear of the new one.
    queries.setQueryData(sessionKey, session);
    forgetAnswers(queries);
    await router.navigate({ to: '/approvals' });
  };
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
            onChange={(event) => void change(event.currentTarget.value)}
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
      <button className="btn" type="button" onClick={() => void leave()}>
        Sign out
      </button>
    </div>
  );
}
