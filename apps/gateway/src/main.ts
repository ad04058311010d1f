import { LOGGER, runService } from '@agentlattice/service';
import type { Logger } from '@agentlattice/observability';
import { readGatewayConfig } from './config.js';
import { GatewayModule } from './gateway.module.js';
import { addBodyHooks } from './inbound/http/body-hooks.js';
import type { RefusedAccess } from './application/refused-access.js';
import { GatewayAdapter } from './inbound/http/gateway-adapter.js';
import { addRefusalHooks } from './inbound/http/refusal-hooks.js';
import { addRequestHooks } from './inbound/http/request-hooks.js';
import type { PrincipalDirectory } from './outbound/principal-directory.js';
import { DIRECTORY, REFUSED_ACCESS } from './tokens.js';

const { host, port } = readGatewayConfig(process.env);

await runService({
  service: 'gateway',
  module: GatewayModule,
  http: { host, port },
  adapter: new GatewayAdapter(),
  configure: (app) => {
    addRequestHooks(app, app.get<Logger>(LOGGER));
    addBodyHooks(app, app.get<PrincipalDirectory>(DIRECTORY));
    addRefusalHooks(app, app.get<RefusedAccess>(REFUSED_ACCESS));
  },
});
