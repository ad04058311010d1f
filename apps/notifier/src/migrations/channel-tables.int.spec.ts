import { runMigrations, withClient } from '@agentlattice/launcher';
import { startPostgres, type TestPostgres } from '@agentlattice/testkit';
import { migrations } from './index.js';
import { WebhookUrls1764300000200 } from './1764300000200-webhook-urls.js';

/** The tables of release 0.1.0: an inbox and outgoing events. */
const asReleased = migrations.slice(0, 2);

describe('an installation of 0.1.0', () => {
  let postgres: TestPostgres;
  beforeAll(async () => {
    postgres = await startPostgres({ migrations: { notifier: asReleased } });
  });
  afterAll(() => postgres.stop());
  const asService = (sql: string) =>
    withClient(
      postgres.databaseUrl('notifier'),
      async (client) => (await client.query(sql)).rows as object[],
    );

  it('keeps its rows and gets an event store and channels', async () => {
    await asService(
      `INSERT INTO outgoing_event (org_id, event_id, source, type, subject, occurred_at, data)
       VALUES ('org_1', 'evt_1', 's', 'policy.changed', 'pol_1', now(), '{}')`,
    );
    await asService(`INSERT INTO inbox (consumer, event_id) VALUES ('notifier-events', 'evt_1')`);
    const typed = migrations.slice(0, migrations.indexOf(WebhookUrls1764300000200));
    expect(await runMigrations(postgres.adminUrl, 'notifier', typed)).toBe(typed.length - 2);
    await asService(
      `INSERT INTO channel (org_id, channel_id, type, name, events, enabled, settings, created_at, updated_at)
       SELECT 'org_1', 'chn_' || type, type, 'n', '{}', true, settings, now(), now() FROM (VALUES
         ('webhook', jsonb_build_object('url', E' http://①②⑦.0.0.1/x\\r\\n')),
         ('email', '{"to":["a@example.com"]}')) v (type, settings)`,
    );
    const left = migrations.length - typed.length;
    expect(await runMigrations(postgres.adminUrl, 'notifier', migrations)).toBe(left);
    expect(await runMigrations(postgres.adminUrl, 'notifier', migrations)).toBe(0);
    expect(await asService('SELECT event_id FROM outgoing_event')).toEqual([{ event_id: 'evt_1' }]);
    expect(await asService('SELECT event_id FROM inbox')).toEqual([{ event_id: 'evt_1' }]);
    expect(await asService('SELECT settings FROM channel ORDER BY channel_id')).toEqual([
      { settings: { to: ['a@example.com'] } },
      { settings: { url: 'http://127.0.0.1/x' } },
    ]);
    expect(await asService('SELECT FROM event, delivery, delivery_attempt')).toEqual([]);
  });

  it.each([
    'DELETE FROM channel',
    'DELETE FROM delivery',
    'UPDATE delivery_attempt SET number = 1',
    'DELETE FROM delivery_attempt',
    `UPDATE event SET type = 'x'`,
    'DELETE FROM event',
    "UPDATE outgoing_event SET data = '{}'",
    'TRUNCATE delivery_attempt',
  ])('does not let the service: %s', (sql) => expect(asService(sql)).rejects.toThrow('permission denied'));
});
