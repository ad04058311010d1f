import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The checkout of this launcher; `src` and `dist` are equally deep, so the path is right for both. */
export const repositoryRoot = resolve(fileURLToPath(new URL('../../..', import.meta.url)));
