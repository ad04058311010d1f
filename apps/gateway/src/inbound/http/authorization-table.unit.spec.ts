import { routeList, routes } from '@agentlattice/contracts';
import { ActionsController } from './actions.controller.js';
import { ApprovalsController } from './approvals.controller.js';
import { AuditController } from './audit.controller.js';
import { ChannelsController } from './channels.controller.js';
import { decisionRoutes } from './decision.routes.js';
import { liveEventRoute } from './live-event.routes.js';
import { routeOf } from './route-decorators.js';
import { allowedMethods } from './allowed-methods.js';
import { MembersController } from './members.controller.js';
import { PoliciesController } from './policies.controller.js';
import { PrincipalsController } from './principals.controller.js';
import { ReportsController } from './reports.controller.js';
import { SessionsController } from './sessions.controller.js';
import { submissionRoutes } from './submission.routes.js';
import { SystemController } from './system.controller.js';
import { WorkspacesController } from './workspaces.controller.js';

const controllers = [
  ActionsController,
  ApprovalsController,
  AuditController,
  ChannelsController,
  MembersController,
  PoliciesController,
  PrincipalsController,
  ReportsController,
  SessionsController,
  SystemController,
  WorkspacesController,
];
const handlers = controllers.flatMap(({ prototype }) =>
  Object.getOwnPropertyNames(prototype)
    .map((name) => Object.getOwnPropertyDescriptor(prototype, name)?.value as unknown)
    .filter((member): member is (...args: unknown[]) => unknown => typeof member === 'function'),
);
const unused = (): never => {
  throw new Error('no request is made here');
};
const plain = [
  ...submissionRoutes(unused, unused),
  ...decisionRoutes(unused, unused, { request: unused }, unused),
].map(({ route }) => route.id);
/** Served by every service in the same way. */
const health = [routes.healthz.id, routes.readyz.id] as const;

it('every row of the route table has exactly one handler', () => {
  const handled = handlers.flatMap((handler) => routeOf(handler)?.id ?? []);
  expect([...handled, ...plain, liveEventRoute.id, ...health].sort()).toEqual(
    routeList.map(({ id }) => id).sort(),
  );
});

it.each([
  ['/api/v1/actions', ['POST']],
  ['/api/v1/policies', ['GET', 'HEAD', 'POST']],
  ['/api/v1/policies/check', ['GET', 'HEAD', 'POST']],
  ['/api/v1/policies/pol_1', ['DELETE', 'GET', 'HEAD', 'PATCH']],
  ['/api/v1/nothing', []],
  ['/api/v1/actions/', []],
  ['/api/v1/openapi_json', []],
])('the methods at %s are %j', (path, methods) => expect([...allowedMethods(path)].sort()).toEqual(methods));
