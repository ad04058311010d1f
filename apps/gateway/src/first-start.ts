import { readFile } from 'node:fs/promises';
import { configOrExit, readBaseConfig } from '@agentlattice/service';
import pg from 'pg';
import { ensureFirstWorkspace, firstCredentials } from './application/ensure-first-workspace.js';
import { PrincipalStore } from './outbound/principal-store.js';

// Run by the launcher before the gateway: puts what credentials.json names into the gateway's schema.
const path = process.env['AL_CREDENTIALS_FILE'];
if (path === undefined) throw new Error('AL_CREDENTIALS_FILE is not set');
const credentials = firstCredentials.parse(JSON.parse(await readFile(path, 'utf8')));
const { databaseUrl } = configOrExit(() => readBaseConfig('gateway', process.env));
const pool = new pg.Pool({ connectionString: databaseUrl, max: 1 });
try {
  await ensureFirstWorkspace(new PrincipalStore(pool), credentials);
} finally {
  await pool.end();
}
