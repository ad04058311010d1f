import type { Server } from 'node:http';
import { configOrExit, LOGGER, runService } from '@agentlattice/service';
import type { Logger } from '@agentlattice/observability';
import { readGatewayConfig } from './config.js';
import { GatewayModule } from './gateway.module.js';
import type { Admission } from './inbound/http/admission.js';
import type { AnswerRelease } from './inbound/http/answer-release.js';
import { addBodyHooks } from './inbound/http/body-hooks.js';
import { GatewayAdapter } from './inbound/http/gateway-adapter.js';
import { addDashboardRoutes } from './inbound/http/dashboard.routes.js';
import { addLiveEventRoutes } from './inbound/http/live-event.routes.js';
import type { McpCalls } from './inbound/http/mcp-calls.js';
import { addMcpRoutes } from './inbound/http/mcp.routes.js';
import { addOidcRoutes, type OidcSteps } from './inbound/http/oidc.routes.js';
import { addPlainRoutes, type PlainRoute } from './inbound/http/plain-routes.js';
import { addSecurityHeaders } from './inbound/http/security-headers.js';
import type { ProblemFilter } from './inbound/http/problem-filter.js';
import { RequestBodies } from './inbound/http/request-bodies.js';
import { addRequestHooks } from './inbound/http/request-hooks.js';
import type { LiveEvents } from './live-events.module.js';
import { migrations } from './migrations/index.js';
import { ADMISSION, ANSWER_RELEASE, LIVE_EVENTS, MCP_CALLS, OIDC, PLAIN_ROUTES, PROBLEMS } from './tokens.js';

const config = configOrExit(() => readGatewayConfig(process.env));
const { host, port, publicUrl, trustedProxies, dashboardDir } = config;

await runService({
  service: 'gateway',
  module: GatewayModule,
  migrations,
  http: { host, port },
  adapter: new GatewayAdapter(new RequestBodies(), trustedProxies),
  configure: (app) => {
    addRequestHooks(app, app.get<Logger>(LOGGER));
    addSecurityHeaders(app, publicUrl);
    addBodyHooks(app, app.get<Admission>(ADMISSION));
    addPlainRoutes(app, app.get<readonly PlainRoute[]>(PLAIN_ROUTES), {
      admission: app.get<Admission>(ADMISSION),
      answers: app.get<AnswerRelease>(ANSWER_RELEASE),
      problems: app.get<ProblemFilter>(PROBLEMS),
    });
    const oidc = app.get<OidcSteps | null>(OIDC);
    if (oidc !== null) addOidcRoutes(app, oidc);
    const { streams, realtime } = app.get<LiveEvents>(LIVE_EVENTS);
    addLiveEventRoutes(app, {
      admission: app.get<Admission>(ADMISSION),
      streams,
      problems: app.get<ProblemFilter>(PROBLEMS),
    });
    addMcpRoutes(app, {
      admission: app.get<Admission>(ADMISSION),
      calls: app.get<McpCalls>(MCP_CALLS),
      problems: app.get<ProblemFilter>(PROBLEMS),
      logger: app.get<Logger>(LOGGER),
      config,
    });
    if (dashboardDir !== undefined) addDashboardRoutes(app, dashboardDir);
    realtime.serve(app.getHttpServer() as Server);
  },
});
