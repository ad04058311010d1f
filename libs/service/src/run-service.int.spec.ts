import { Refused, approvalServiceCommands } from '@agentlattice/contracts';
import { CommandClient, connectNats } from '@agentlattice/messaging';
import { createLogger } from '@agentlattice/observability';
import {
  eventually,
  startNats,
  startPostgres,
  type TestNats,
  silentProxy,
  type TestPostgres,
} from '@agentlattice/testkit';
import { Controller, Inject, Module, type OnApplicationBootstrap, type OnModuleInit } from '@nestjs/common';
import { Ctx, MessagePattern, Payload } from '@nestjs/microservices';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { NatsConnection } from '@nats-io/transport-node';
import type pg from 'pg';
import { POOL, readBaseConfig, ServiceModule, startApp } from './index.js';

const { approval_status, ping } = approvalServiceCommands;
const approval = 'apr_01jd7e5sqcfnmrq9yh4qvxw2k3';
const org = 'org_01jd7e5sqcfnmrq9yh4qvxw2k3';
const env: NodeJS.ProcessEnv = {
  AL_INSTANCE: 'a',
  AL_DATA_DIR: '/nowhere',
  AL_HEALTH_PORT: '0',
  LOG_LEVEL: 'silent',
};

@Controller()
class Status {
  constructor(@Inject(POOL) private readonly pool: pg.Pool) {}

  @MessagePattern(approval_status.subject, { command: approval_status })
  async status(
    @Payload() { approval_id }: { approval_id: string },
    @Ctx() context: { traceparent: string | null },
  ) {
    const { rows } = await this.pool.query<{ role: string }>('SELECT current_user AS role');
    throw new Refused('NOT_FOUND', `${approval_id} as ${rows[0]?.role ?? ''} ${String(context.traceparent)}`);
  }
}

@Module({ imports: [ServiceModule.forRoot('approval-service', env)], controllers: [Status] })
class TestModule implements OnModuleInit, OnApplicationBootstrap {
  static readonly hooks: string[] = [];

  onModuleInit(): void {
    TestModule.hooks.push('init');
  }
  onApplicationBootstrap(): void {
    TestModule.hooks.push('bootstrap');
  }
}

describe('a running service', () => {
  let postgres: TestPostgres;
  let nats: TestNats;
  let app: NestFastifyApplication;
  let gateway: NatsConnection;
  let client: CommandClient;
  const get = async (path: string) => {
    const response = await fetch(`${await app.getUrl()}${path}`);
    return { status: response.status, body: await response.json() };
  };

  beforeAll(async () => {
    [postgres, nats] = await Promise.all([startPostgres(), startNats()]);
    env['DATABASE_URL'] = postgres.databaseUrl('approval-service');
    env['NATS_URL'] = nats.natsUrl('approval-service');
    const config = readBaseConfig('approval-service', env);
    app = await startApp(
      { service: 'approval-service', module: TestModule },
      config,
      createLogger('test', 'silent'),
    );
    gateway = await connectNats({ url: nats.natsUrl('gateway'), service: 'gateway', instance: 'g' });
    client = new CommandClient(gateway);
  });
  afterAll(async () => {
    await gateway.close();
    await Promise.all([postgres.stop(), nats.stop()]);
  });

  it('starts its modules once, although it serves HTTP and NATS', () =>
    expect(TestModule.hooks).toEqual(['init', 'bootstrap']));

  it('answers commands with its own database role', async () => {
    const ask = client.request(approval_status, { org_id: org, approval_id: approval, agent_id: null });
    await expect(ask).rejects.toMatchObject({
      code: 'NOT_FOUND',
      detail: `${approval} as al_approval_service null`,
    });
  });

  it('is healthy, by HTTP and by ping', async () => {
    expect(await get('/healthz')).toEqual({ status: 200, body: { status: 'ok' } });
    expect(await get('/readyz')).toEqual({
      status: 200,
      body: { ready: true, missing: [], degraded: [], reasons: [] },
    });
    expect(await client.request(ping, {})).toEqual({ ready: true, missing: [], troubles: [] });
  });

  it('leaves commands to other replicas while its database is away', async () => {
    const proxy = await silentProxy(postgres.databaseUrl('approval-service'));
    Object.assign(env, { AL_INSTANCE: 'b', DATABASE_URL: proxy.url });
    const other = await startApp(
      { service: 'approval-service', module: TestModule },
      readBaseConfig('approval-service', env),
      createLogger('test', 'silent'),
    );
    proxy.cut();
    await proxy.stop();
    const answers = () =>
      Promise.all(
        Array.from({ length: 40 }, () =>
          client.request(approval_status, { org_id: org, approval_id: approval, agent_id: null }).then(
            () => 'answered',
            ({ code }: Refused) => code,
          ),
        ),
      );
    // Before, half of them were refused for as long as that lasted.
    await eventually(async () => (await answers()).every((code) => code === 'NOT_FOUND'));
    expect((await fetch(`${await other.getUrl()}/readyz?scope=local`)).status).toBe(503);
    expect((await get('/readyz?scope=local')).status).toBe(200);
    await other.close();
  });

  it('names the missing server, and is healthy again once that is back', async () => {
    postgres.kill();
    nats.kill();
    await eventually(async () => (await get('/readyz?scope=local')).status === 503);
    await eventually(async () => (await get('/readyz?scope=local')).status === 200, { within: 30_000 });
    await eventually(async () => (await client.request(ping, {})).ready, { within: 30_000 });
    const ask = client.request(approval_status, { org_id: org, approval_id: approval, agent_id: null });
    await expect(ask).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  it('closes everything', async () => {
    await app.close();
    await expect(client.request(ping, {}, { timeoutMs: 500 })).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  });
});
