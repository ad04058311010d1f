import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The checkout this launcher belongs to; `src` and `dist` lie equally deep, so it holds for both. */
export const repositoryRoot = resolve(fileURLToPath(new URL('../../..', import.meta.url)));
