import { createRequire } from 'node:module';

/** Of this package, found by its name: the same file whether it runs from the sources or as it was built. */
export const { version } = createRequire(import.meta.url)('@agentlattice/mcp-server/package.json') as {
  version: string;
};
