import type { ReactNode } from 'react';
import '../styles/admin.css';
import { useIsAdmin } from '../session/session-context.js';
import { Icon } from './icon.js';
import { Banner } from './notices.js';
import { useTitle } from './use-title.js';

interface PageHeadProps {
  readonly title: string;
  readonly lead?: ReactNode;
  /** What the person can do with the page as a whole. */
  readonly actions?: ReactNode;
}

export function PageHead({ title, lead, actions }: PageHeadProps) {
  useTitle(title);
  return (
    <div className="top">
      <div>
        <h1>{title}</h1>
        {lead === undefined ? null : <p>{lead}</p>}
      </div>
      {actions === undefined || actions === null ? null : <div className="top-acts">{actions}</div>}
    </div>
  );
}

/** Says to those who cannot change anything here who can. Nothing for administrators. */
export const AdminsChange = ({ what }: { readonly what: string }) =>
  useIsAdmin() ? null : (
    <Banner icon="eye">
      <b>View only.</b> Admins change {what}; you see the same list.
    </Banner>
  );

/** In place of a page that the person's role may not read. */
export const AdminsOnly = ({ what }: { readonly what: string }) => (
  <div className="void">
    <Icon name="eye" />
    <b>Only admins see {what}</b>
    <span className="soft">Ask an admin of the workspace, who finds this page under the same name.</span>
  </div>
);
