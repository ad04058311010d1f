import { type ServiceName, serviceNames } from '@agentlattice/contracts';
import { testDataDirectory, type TestDataDirectory } from '@agentlattice/testkit';
import type { MigrationInterface, QueryRunner } from 'typeorm';
import { openSecrets } from '../secrets.js';
import {
  type DatabaseAccess,
  embeddedDatabase,
  externalDatabase,
  preparedDatabase,
} from './database-access.js';
import { withClient } from './database-client.js';
import { adminRights, provisionRoles } from './provision-database.js';
import { runMigrations } from './run-migrations.js';

class FirstTable1700000000001 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query('CREATE TABLE event (id int PRIMARY KEY)');
    await runner.query('GRANT SELECT, INSERT ON event TO al_gateway');
  }
  async down(): Promise<void> {
    throw new Error('the migration of the events cannot be undone');
  }
}
class SecondTable1700000000002 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query('CREATE TABLE IF NOT EXISTS later (id int); GRANT SELECT ON later TO al_gateway');
  }
  async down(): Promise<void> {
    throw new Error('not needed');
  }
}

const rows = (url: string, sql: string) =>
  withClient(url, async (client) => (await client.query<Record<string, unknown>>(sql)).rows);

describe('the bundled PostgreSQL', () => {
  let directory: TestDataDirectory;
  let database: DatabaseAccess;
  let gateway: string;
  let notifier: string;

  beforeAll(async () => {
    directory = await testDataDirectory();
    database = await embeddedDatabase(directory);
    gateway = database.of('gateway').url;
    notifier = database.of('notifier').url;
    await runMigrations(database.adminUrl, 'gateway', [FirstTable1700000000001]);
  });
  afterAll(() => directory.remove());

  it('requires a password from every user', async () => {
    const methods = await rows(database.adminUrl, 'SELECT DISTINCT auth_method FROM pg_hba_file_rules');
    expect(methods).toEqual([{ auth_method: 'scram-sha-256' }]);
    const wrong = new URL(gateway);
    wrong.password = 'wrong';
    await expect(rows(wrong.href, 'SELECT 1')).rejects.toThrow('password authentication failed');
  });

  it('loses no committed transaction in a power cut', async () => {
    const settings = await rows(
      database.adminUrl,
      "SELECT name, setting FROM pg_settings WHERE name IN ('fsync', 'synchronous_commit', 'full_page_writes')",
    );
    expect(settings.map((s) => s['setting'])).toEqual(['on', 'on', 'on']);
  });

  it("finds a service's tables in its schema", async () => {
    await rows(gateway, 'INSERT INTO event VALUES (1)');
    expect(await rows(gateway, 'SELECT id FROM gateway.event')).toEqual([{ id: 1 }]);
  });

  it.each([
    ['read the data of another service', 'SELECT * FROM gateway.event'],
    ['write into the public schema', 'CREATE TABLE public.mine (id int)'],
    ['make a schema', 'CREATE SCHEMA mine'],
    ['use temporary tables', 'CREATE TEMP TABLE mine (id int)'],
    ['become another service', 'SET ROLE al_gateway'],
    ['touch the timers of the approval-service', 'CREATE TABLE approval_service_jobs.mine (id int)'],
  ])('does not let a service %s', (_, sql) =>
    expect(rows(notifier, sql)).rejects.toThrow('permission denied'),
  );

  it.each(['UPDATE event SET id = 2', 'DELETE FROM event', 'TRUNCATE event', 'DROP TABLE event'])(
    'does not let a service do what its migrations did not grant (%s)',
    (sql) => expect(rows(gateway, sql)).rejects.toThrow(/permission denied|must be owner/),
  );

  it('lets the approval-service store its timers', async () => {
    await rows(database.of('approval-service').url, 'CREATE TABLE approval_service_jobs.job (id int)');
  });

  it('refuses services in the databases that it does not use', async () => {
    const url = new URL(gateway);
    url.pathname = '/postgres';
    await expect(rows(url.href, 'SELECT 1')).rejects.toThrow('permission denied for database');
  });

  it('can be provisioned again without a change', async () => {
    const { adminUrl } = database;
    const passwordOf = (service: ServiceName) => directory.secrets.of(`postgres.${service}`);
    expect(await provisionRoles(adminUrl, await adminRights(adminUrl), passwordOf)).toEqual([]);
    await expect(rows(gateway, 'SELECT 1')).resolves.toHaveLength(1);
    const reread = await openSecrets(directory.dataDir);
    expect(reread.of('postgres.gateway')).toBe(new URL(gateway).password);
  });

  it('runs each migration once, in any number of starts', async () => {
    const both = [FirstTable1700000000001, SecondTable1700000000002];
    const { adminUrl } = database;
    const counts = await Promise.all([1, 2].map(() => runMigrations(adminUrl, 'gateway', both)));
    expect(counts.sort()).toEqual([0, 1]);
    expect(await runMigrations(adminUrl, 'gateway', both)).toBe(0);
  });

  it('is restarted when it is killed, with everything that was committed', async () => {
    const server = directory.group.get('postgres');
    const before = server?.pid;
    await rows(gateway, 'INSERT INTO event VALUES (7)');
    server?.kill('SIGKILL');
    await server?.ready(60_000);
    expect(server?.pid).not.toBe(before);
    expect(await rows(gateway, 'SELECT id FROM event WHERE id = 7')).toEqual([{ id: 7 }]);
  });

  describe('as the external server of a user', () => {
    const asUser = async (name: string, rights: string) => {
      const { adminUrl } = database;
      await rows(adminUrl, `CREATE ROLE ${name} LOGIN PASSWORD 'pw' ${rights}`);
      await rows(adminUrl, `CREATE DATABASE ${name} OWNER ${name}`);
      const url = new URL(adminUrl);
      url.username = name;
      url.password = 'pw';
      url.pathname = `/${name}`;
      return url.href;
    };

    it('with the right to make roles has one for each service', async () => {
      const url = await asUser('can_make_roles', 'CREATEROLE');
      // The roles of the tests above belong to the superuser, so this user cannot change them.
      await rows(database.adminUrl, 'GRANT al_gateway TO can_make_roles WITH ADMIN OPTION');
      for (const role of ['al_policy_engine', 'al_approval_service', 'al_notifier', 'al_audit_ledger'])
        await rows(database.adminUrl, `GRANT ${role} TO can_make_roles WITH ADMIN OPTION`);
      const external = await externalDatabase({ url, services: {} }, directory);
      expect(external.of('notifier').role).toBe('al_notifier');
      await runMigrations(url, 'gateway', [FirstTable1700000000001]);
      await rows(external.of('gateway').url, 'INSERT INTO event VALUES (1)');
      await expect(rows(external.of('notifier').url, 'SELECT * FROM gateway.event')).rejects.toThrow(
        'denied',
      );
      await rows(external.of('approval-service').url, 'CREATE TABLE approval_service_jobs.job (id int)');
    });

    it('without that right works with one credential for all, with a warning', async () => {
      const url = await asUser('plain', '');
      const external = await externalDatabase({ url, services: {} }, directory);
      expect(directory.printed.join('\n')).toContain(
        'WARNING: the user of DATABASE_URL may not create roles',
      );
      const { role, options } = external.of('gateway');
      expect([role, options]).toEqual(['plain', '-c search_path=gateway']);
      await runMigrations(url, 'gateway', [FirstTable1700000000001], role);
      expect(await rows(external.of('gateway').url, 'SELECT * FROM gateway.event')).toEqual([]);
    });

    it('without the right to make schemas refuses the start with instructions', async () => {
      const url = new URL(await asUser('guest', ''));
      url.pathname = '/plain';
      await expect(externalDatabase({ url: url.href, services: {} }, directory)).rejects.toThrow('roles.sql');
    });

    it('gets the passwords of the URLs that a job in a cluster is given', async () => {
      const { adminUrl } = database;
      const withPassword = (password: string) =>
        Object.fromEntries(
          serviceNames.map((service) => {
            const url = new URL(database.of(service).url);
            url.password = password;
            return [service, url.href];
          }),
        ) as Record<ServiceName, string>;
      const services = withPassword('given');
      await expect(rows(services.notifier, 'SELECT 1')).rejects.toThrow('password authentication failed');
      const prepared = await preparedDatabase({ url: adminUrl, services }, () => undefined);
      expect(prepared.of('notifier')).toMatchObject({ url: services.notifier, role: 'al_notifier' });
      await expect(rows(services.notifier, 'SELECT 1')).resolves.toHaveLength(1);
      const none = preparedDatabase({ url: adminUrl, services: withPassword('') }, () => undefined);
      await expect(none).rejects.toThrow('have no password');
    });
  });
});
