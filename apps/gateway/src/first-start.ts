import { readFile } from 'node:fs/promises';
import { configOrExit, readEnvironment } from '@agentlattice/service';
import pg from 'pg';
import { z } from 'zod';
import { ensureFirstWorkspace, firstCredentials } from './application/ensure-first-workspace.js';
import { PrincipalStore } from './outbound/principal-store.js';

// Run by the launcher, or by a cluster's migration job, before the gateway: puts what credentials.json names into the gateway's schema.
const path = process.env['AL_CREDENTIALS_FILE'];
if (path === undefined) throw new Error('AL_CREDENTIALS_FILE is not set');
const credentials = firstCredentials.parse(JSON.parse(await readFile(path, 'utf8')));
const environment = z.object({ DATABASE_URL: z.string() });
const { DATABASE_URL } = configOrExit(() => readEnvironment(environment, process.env));
const pool = new pg.Pool({ connectionString: DATABASE_URL, max: 1 });
try {
  await ensureFirstWorkspace(new PrincipalStore(pool), credentials);
} finally {
  await pool.end();
}
