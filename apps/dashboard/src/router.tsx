import {
  createRootRoute,
  createRoute,
  createRouter,
  lazyRouteComponent,
  Link,
  Outlet,
  redirect,
} from '@tanstack/react-router';
import { EmptyState } from './components/notices.js';
import { ApprovalsPage } from './pages/approvals/approvals-page.js';
import { readQueueSearch } from './pages/approvals/queue-search.js';
import { readAuditSearch } from './pages/audit/audit-search.js';
import { readDeliverySearch } from './pages/notifications/delivery-search.js';
import { readOverviewSearch } from './pages/overview/overview-search.js';
import { Shell } from './shell/shell.js';

const root = createRootRoute({
  component: Outlet,
  notFoundComponent: () => (
    <main className="door" id="main">
      <EmptyState icon="search" title="There is no such page">
        <Link to="/approvals">To the waiting requests</Link>
      </EmptyState>
    </main>
  ),
});

const text = (value: unknown): string | undefined =>
  typeof value === 'string' && value !== '' ? value : undefined;

const signIn = createRoute({
  getParentRoute: () => root,
  path: '/sign-in',
  validateSearch: (search: Record<string, unknown>): { return_to?: string; error?: string } => {
    const [returnTo, error] = [text(search['return_to']), text(search['error'])];
    return {
      ...(returnTo === undefined ? {} : { return_to: returnTo }),
      ...(error === undefined ? {} : { error }),
    };
  },
  component: lazyRouteComponent(() => import('./pages/sign-in/sign-in-page.js'), 'SignInPage'),
});
const acceptInvitation = createRoute({
  getParentRoute: () => root,
  path: '/accept-invitation',
  component: lazyRouteComponent(
    () => import('./pages/sign-in/accept-invitation-page.js'),
    'AcceptInvitationPage',
  ),
});
const shell = createRoute({ getParentRoute: () => root, id: 'shell', component: Shell });
const index = createRoute({
  getParentRoute: () => root,
  path: '/',
  beforeLoad: () => {
    throw redirect({ to: '/approvals' });
  },
});
const approvals = createRoute({
  getParentRoute: () => shell,
  path: '/approvals',
  validateSearch: readQueueSearch,
  component: ApprovalsPage,
});
const approval = createRoute({
  getParentRoute: () => shell,
  path: '/approvals/$approvalId',
  component: lazyRouteComponent(() => import('./pages/request/request-page.js'), 'RequestPage'),
});
const preferences = createRoute({
  getParentRoute: () => shell,
  path: '/preferences',
  component: lazyRouteComponent(() => import('./pages/preferences/preferences-page.js'), 'PreferencesPage'),
});
const more = createRoute({
  getParentRoute: () => shell,
  path: '/more',
  component: lazyRouteComponent(() => import('./pages/more/more-page.js'), 'MorePage'),
});

// Reading and administration: each page in its own chunk, so that the queue stays small.
const overview = createRoute({
  getParentRoute: () => shell,
  path: '/overview',
  validateSearch: readOverviewSearch,
  component: lazyRouteComponent(() => import('./pages/overview/overview-page.js'), 'OverviewPage'),
});
const audit = createRoute({
  getParentRoute: () => shell,
  path: '/audit',
  validateSearch: readAuditSearch,
  component: lazyRouteComponent(() => import('./pages/audit/audit-page.js'), 'AuditPage'),
});
const auditEntry = createRoute({
  getParentRoute: () => shell,
  path: '/audit/$seq',
  component: lazyRouteComponent(() => import('./pages/audit/entry-page.js'), 'EntryPage'),
});
const policies = createRoute({
  getParentRoute: () => shell,
  path: '/policies',
  component: lazyRouteComponent(() => import('./pages/policies/policies-page.js'), 'PoliciesPage'),
});
const newPolicy = createRoute({
  getParentRoute: () => shell,
  path: '/policies/new',
  component: lazyRouteComponent(() => import('./pages/policies/edit-policy-page.js'), 'NewPolicyPage'),
});
const policy = createRoute({
  getParentRoute: () => shell,
  path: '/policies/$policyId',
  component: lazyRouteComponent(() => import('./pages/policies/policy-page.js'), 'PolicyPage'),
});
const editPolicy = createRoute({
  getParentRoute: () => shell,
  path: '/policies/$policyId/edit',
  component: lazyRouteComponent(() => import('./pages/policies/edit-policy-page.js'), 'EditPolicyPage'),
});
const agents = createRoute({
  getParentRoute: () => shell,
  path: '/agents',
  component: lazyRouteComponent(() => import('./pages/agents/agents-page.js'), 'AgentsPage'),
});
const keys = createRoute({
  getParentRoute: () => shell,
  path: '/keys',
  component: lazyRouteComponent(() => import('./pages/keys/keys-page.js'), 'KeysPage'),
});
const members = createRoute({
  getParentRoute: () => shell,
  path: '/members',
  component: lazyRouteComponent(() => import('./pages/members/members-page.js'), 'MembersPage'),
});
const notifications = createRoute({
  getParentRoute: () => shell,
  path: '/notifications',
  validateSearch: readDeliverySearch,
  component: lazyRouteComponent(
    () => import('./pages/notifications/notifications-page.js'),
    'NotificationsPage',
  ),
});

const routeTree = root.addChildren([
  signIn,
  acceptInvitation,
  index,
  shell.addChildren([
    approvals,
    approval,
    overview,
    audit,
    auditEntry,
    policies,
    newPolicy,
    policy,
    editPolicy,
    agents,
    keys,
    members,
    notifications,
    preferences,
    more,
  ]),
]);

/** The parameters of an address, such as `?q=apples`. */
export const parseSearch = (search: string): Record<string, string> =>
  Object.fromEntries(new URLSearchParams(search));

/** Filters stand in the address as plain parameters, so that a link can be read and written by hand. */
export const router = createRouter({
  routeTree,
  defaultPreload: false,
  scrollRestoration: true,
  parseSearch,
  stringifySearch: (search) => {
    const parameters = new URLSearchParams();
    for (const [name, value] of Object.entries(search))
      if (value !== undefined && value !== '') parameters.set(name, String(value));
    return parameters.size === 0 ? '' : `?${parameters.toString()}`;
  },
});

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router;
  }
}
