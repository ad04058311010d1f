import type { Route } from './route.js';
import { actionRoutes } from './routes/actions.js';
import { approvalRoutes } from './routes/approvals.js';
import { auditRoutes } from './routes/audit.js';
import { channelRoutes } from './routes/channels.js';
import { policyRoutes } from './routes/policies.js';
import { principalRoutes } from './routes/principals.js';
import { liveEventRoutes } from './routes/live-events.js';
import { sessionRoutes } from './routes/sessions.js';
import { reportRoutes } from './routes/reports.js';
import { systemRoutes } from './routes/system.js';

/** Every operation of the HTTP API: its callers, its input and its answers. */
export const routes = {
  ...actionRoutes,
  ...approvalRoutes,
  ...policyRoutes,
  ...channelRoutes,
  ...principalRoutes,
  ...sessionRoutes,
  ...auditRoutes,
  ...liveEventRoutes,
  ...reportRoutes,
  ...systemRoutes,
} as const;

export type RouteId = keyof typeof routes;
export const routeList: readonly Route[] = Object.values(routes);
