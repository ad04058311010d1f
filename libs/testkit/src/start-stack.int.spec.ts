import { connect } from '@nats-io/transport-node';
import { natsOptions, withClient } from '@agentlattice/launcher';
import { existsSync } from 'node:fs';
import { eventually } from './eventually.js';
import { startStack, type Stack } from './start-stack.js';

describe('a stack for tests', () => {
  let stack: Stack;
  beforeAll(async () => {
    stack = await startStack();
  });
  afterAll(() => stack.stop());

  it('has a database per service', async () => {
    const { rows } = await withClient(stack.databaseUrl('policy-engine'), (client) =>
      client.query<{ schema: string; user: string }>(
        'SELECT current_schema AS schema, current_user AS "user"',
      ),
    );
    expect(rows).toEqual([{ schema: 'policy_engine', user: 'al_policy_engine' }]);
  });

  it('has a NATS user per service', async () => {
    const nc = await connect({
      ...natsOptions(stack.natsUrl('audit-ledger')),
      inboxPrefix: '_INBOX_audit-ledger',
    });
    expect(nc.info?.jetstream).toBe(true);
    await nc.close();
  });

  it('gives each service its own environment and not the administrator’s', () => {
    const env = stack.environmentOf('notifier');
    expect(env).toMatchObject({
      AL_SERVICE_NAME: 'notifier',
      DATABASE_URL: stack.databaseUrl('notifier'),
      NATS_URL: stack.natsUrl('notifier'),
      AL_INSTANCE: expect.stringMatching(/^[a-z0-9]+$/),
      AL_HEALTH_PORT: expect.stringMatching(/^\d+$/),
    });
    expect(JSON.stringify(env)).not.toContain(new URL(stack.adminUrl).password);
  });

  it('has a server again after it was killed, halted or wiped', async () => {
    stack.kill('nats');
    await stack.ready('nats');
    await stack.halt('postgres');
    await expect(withClient(stack.adminUrl, (client) => client.query('SELECT 1'))).rejects.toThrow();
    await stack.resume('postgres');
    await withClient(stack.adminUrl, (client) => client.query('SELECT 1'));
    await stack.wipeNats();
    await eventually(() => stack.pid('nats') !== undefined);
  });

  it('leaves no process and no file behind', async () => {
    const other = await startStack({ services: [] });
    await other.stop();
    expect(existsSync(other.dataDir)).toBe(false);
  });
});
