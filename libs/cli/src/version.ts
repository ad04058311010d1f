import { createRequire } from 'node:module';

/** Of this package; the same file whether it runs from the sources or as it was built. */
export const { version } = createRequire(import.meta.url)('../package.json') as { version: string };
