export { clientFor, type ClientOptions } from './client.js';
export type { Identity } from './identity.js';
export { makeMcpServer, type McpServerOptions, offersForms } from './server.js';
export { serveStdio } from './stdio.js';
export { version } from './version.js';
