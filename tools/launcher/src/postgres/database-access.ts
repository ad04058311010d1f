import { type ServiceName, serviceNames } from '@agentlattice/contracts';
import type { ExternalServer } from '../configuration.js';
import { errorText } from '../error-text.js';
import { type DataDirectory, startServer } from '../data-directory.js';
import { StartRefused } from '../start-refused.js';
import { embeddedPostgres } from './embedded-postgres.js';
import { ensureSchemas } from './ensure-schemas.js';
import { oldestMajor } from './postgres-binaries.js';
import { type AdminRights, adminRights, provisionRoles } from './provision-database.js';
import { roleOf, schemaOf } from './service-role.js';

/** How one service reaches its schema. */
export interface ServiceDatabase {
  readonly url: string;
  /** The role that gets the grants of migrations to the service's role. */
  readonly role: string;
  /** For PGOPTIONS, when the search path is not set for the role itself. */
  readonly options?: string;
}

export interface DatabaseAccess {
  /** Migrates, and owns the tables. */
  readonly adminUrl: string;
  readonly of: (service: ServiceName) => ServiceDatabase;
}

/** Starts PostgreSQL in the data directory, with a role and a schema per service. */
export async function embeddedDatabase(directory: DataDirectory): Promise<DatabaseAccess> {
  const { dataDir, secrets } = directory;
  const { adminUrl, ensureDatabase } = await startServer(directory, 'postgres', (port) =>
    embeddedPostgres(dataDir, port, secrets),
  );
  await ensureDatabase();
  return provisioned(adminUrl, await adminRights(adminUrl), directory);
}

/**
 * Uses the server of DATABASE_URL: with one role per service where its user may make them, else with the URLs per service, else with one
 * credential for all.
 * @throws StartRefused when it cannot be used
 */
export async function externalDatabase(
  { url, services }: ExternalServer,
  directory: DataDirectory,
): Promise<DatabaseAccess> {
  const rights = await usableRights(url);
  if (Object.keys(services).length > 0) return withUrls({ url, services }, rights);
  if (rights.mayMakeRoles)
    return provisioned(url, rights, directory).catch((error: unknown) => {
      throw new StartRefused(
        `The roles could not be set up on the server of DATABASE_URL (${errorText(error)}); set DATABASE_URL_GATEWAY and so on, as deploy/postgres/roles.sql says.`,
      );
    });
  directory.print(
    'WARNING: the user of DATABASE_URL may not create roles, so all services share its credential and the database no longer keeps one from the data of another. Run deploy/postgres/roles.sql and set DATABASE_URL_GATEWAY and so on.',
  );
  await ensureSchemas(url, () => rights.user);
  return { adminUrl: url, of: (service) => confined(service, url, rights.user) };
}

/**
 * Uses the server of DATABASE_URL with a URL per service, as a job in a cluster does: makes the roles and passwords that the URLs name
 * where its user may make roles, else expects them to exist.
 * @throws StartRefused when it cannot be used
 */
export async function preparedDatabase(
  { url, services }: ExternalServer,
  print: (line: string) => void,
): Promise<DatabaseAccess> {
  const rights = await usableRights(url);
  const urlOf = (service: ServiceName) => new URL(services[service] ?? url);
  const areOurs = serviceNames.every(
    (service) => decodeURIComponent(urlOf(service).username) === roleOf(service),
  );
  if (rights.mayMakeRoles && areOurs) {
    const passwordOf = (service: ServiceName) => decodeURIComponent(urlOf(service).password);
    const withoutPassword = serviceNames.filter((service) => passwordOf(service) === '');
    if (withoutPassword.length > 0)
      throw new StartRefused(`The URLs of ${withoutPassword.join(', ')} have no password.`);
    for (const warning of await provisionRoles(url, rights, passwordOf)) print(`WARNING: ${warning}`);
  }
  return withUrls({ url, services }, rights);
}

async function usableRights(url: string): Promise<AdminRights> {
  const rights = await reach('DATABASE_URL', url);
  if (rights.serverVersion < oldestMajor * 10_000)
    throw new StartRefused(
      `The server of DATABASE_URL is older than PostgreSQL ${String(oldestMajor)}, which is the oldest supported.`,
    );
  if (!rights.mayMakeSchemas)
    throw new StartRefused(
      `The user of DATABASE_URL may not create schemas in ${rights.database}; grant it CREATE on the database (deploy/postgres/roles.sql does).`,
    );
  return rights;
}

async function withUrls({ url, services }: ExternalServer, rights: AdminRights): Promise<DatabaseAccess> {
  const own = (service: ServiceName) => services[service] ?? url;
  const users = new Map<ServiceName, string>();
  for (const service of Object.keys(services) as ServiceName[])
    users.set(service, (await reach(`the URL of ${service}`, own(service))).user);
  const of = (s: ServiceName) => confined(s, own(s), users.get(s) ?? rights.user);
  await ensureSchemas(url, (s) => of(s).role);
  return { adminUrl: url, of };
}

async function provisioned(
  adminUrl: string,
  rights: AdminRights,
  directory: DataDirectory,
): Promise<DatabaseAccess> {
  const { secrets } = directory;
  const passwordOf = (service: ServiceName) => secrets.of(`postgres.${service}`);
  // On disk before they are in the server, so a crash in between loses no password.
  for (const service of serviceNames) passwordOf(service);
  await secrets.save();
  const warnings = await provisionRoles(adminUrl, rights, passwordOf);
  for (const warning of warnings) directory.print(`WARNING: ${warning}`);
  const of = (service: ServiceName) => {
    const url = new URL(adminUrl);
    url.username = roleOf(service);
    url.password = passwordOf(service);
    return { url: url.href, role: roleOf(service) };
  };
  return { adminUrl, of };
}

const confined = (service: ServiceName, url: string, role: string): ServiceDatabase => ({
  url,
  role,
  options: `-c search_path=${schemaOf(service)}`,
});

async function reach(what: string, url: string): Promise<AdminRights> {
  try {
    return await adminRights(url);
  } catch (error) {
    throw new StartRefused(`The server of ${what} cannot be used: ${errorText(error)}.`);
  }
}
