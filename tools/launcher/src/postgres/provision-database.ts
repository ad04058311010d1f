import { type ServiceName, serviceNames } from '@agentlattice/contracts';
import type pg from 'pg';
import { withClient } from './database-client.js';
import { jobsSchema, roleOf, schemaOf } from './service-role.js';

// Any constant, the same for every launcher.
const provisioningLock = 715_402_001;

/** The rights of the user of an administrator's URL. */
export interface AdminRights {
  readonly serverVersion: number;
  readonly database: string;
  readonly user: string;
  readonly mayMakeRoles: boolean;
  readonly mayMakeSchemas: boolean;
}

/** Reads the rights of the URL's user from the server. */
export function adminRights(adminUrl: string): Promise<AdminRights> {
  return withClient(adminUrl, async (client) => {
    const { rows } = await client.query<AdminRights>(
      `SELECT current_setting('server_version_num')::int AS "serverVersion", current_database() AS database,
              current_user AS "user", rolcreaterole OR rolsuper AS "mayMakeRoles",
              has_database_privilege(current_database(), 'CREATE') AS "mayMakeSchemas"
         FROM pg_roles WHERE rolname = current_user`,
    );
    const [row] = rows;
    if (row === undefined) throw new Error('pg_roles does not know the current user');
    return row;
  });
}

/**
 * Makes a schema and a login role per service, each role with rights in its schema only. Running it again changes nothing but the
 * password of a role.
 * @param passwordOf the password of a service's role; it must not be lost if the process ends here
 * @returns warnings about rights that could not be taken from PUBLIC
 */
export function provisionRoles(
  adminUrl: string,
  rights: AdminRights,
  passwordOf: (service: ServiceName) => string,
): Promise<string[]> {
  return withClient(adminUrl, async (client) => {
    await client.query('SELECT pg_advisory_lock($1)', [provisioningLock]);
    const database = client.escapeIdentifier(rights.database);
    const warnings = await closeToPublic(client, database);
    for (const service of serviceNames) {
      const role = roleOf(service);
      const schema = schemaOf(service);
      await ensureRole(client, role, passwordOf(service));
      await client.query(`CREATE SCHEMA IF NOT EXISTS ${schema}`);
      await client.query(`REVOKE ALL ON SCHEMA ${schema} FROM PUBLIC`);
      await client.query(`GRANT USAGE ON SCHEMA ${schema} TO ${role}`);
      await client.query(`GRANT CONNECT ON DATABASE ${database} TO ${role}`);
      await client.query(`ALTER ROLE ${role} IN DATABASE ${database} SET search_path = ${schema}`);
    }
    await ensureJobsSchema(client);
    return warnings;
  });
}

async function ensureRole(client: pg.Client, role: string, password: string): Promise<void> {
  const literal = client.escapeLiteral(password);
  const { rowCount } = await client.query('SELECT FROM pg_roles WHERE rolname = $1', [role]);
  const verb = rowCount === 0 ? 'CREATE' : 'ALTER';
  await client.query(`${verb} ROLE ${role} LOGIN PASSWORD ${literal}`);
}

/** Only a member of a role may give it a schema, so the administrator is one for that time. */
async function ensureJobsSchema(client: pg.Client): Promise<void> {
  const role = roleOf('approval-service');
  const { rowCount } = await client.query('SELECT FROM pg_namespace WHERE nspname = $1', [jobsSchema]);
  if (rowCount !== 0) return;
  await client.query('BEGIN');
  await client.query(`GRANT ${role} TO CURRENT_USER`);
  await client.query(`CREATE SCHEMA ${jobsSchema} AUTHORIZATION ${role}`);
  await client.query(`REVOKE ${role} FROM CURRENT_USER`);
  await client.query('COMMIT');
}

/** Revokes rights of PUBLIC. An external database may refuse that: then a warning names the rights that PUBLIC keeps. */
async function closeToPublic(client: pg.Client, database: string): Promise<string[]> {
  const warnings: string[] = [];
  for (const what of [`DATABASE ${database}`, 'SCHEMA public']) {
    const gone = await client.query(`REVOKE ALL ON ${what} FROM PUBLIC`).then(
      () => true,
      () => false,
    );
    if (!gone)
      warnings.push(`PUBLIC keeps its rights on ${what}: the DATABASE_URL user may not take them away.`);
  }
  return warnings;
}
