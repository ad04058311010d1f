import {
  appendSubject,
  approvalServiceCommands,
  auditLedgerCommands,
  type Command,
  evaluateSubject,
  notifierCommands,
  Refused,
  type ServiceName,
  submissionReplySubject,
  Unavailable,
} from '@agentlattice/contracts';
import { createLogger } from '@agentlattice/observability';
import { eventually, startNats, type TestNats } from '@agentlattice/testkit';
import { Controller, type INestMicroservice, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { Ctx, MessagePattern, type MicroserviceOptions, Payload } from '@nestjs/microservices';
import { connect, headers, type NatsConnection } from '@nats-io/transport-node';
import { z } from 'zod';
import {
  type BatchContext,
  type CommandContext,
  CommandClient,
  connectNats,
  Forward,
  NatsBatchServer,
  PassExceptions,
  publishBatches,
} from './index.js';

const org = 'org_01jd7e5sqcfnmrq9yh4qvxw2k3';
const numbered = z.object({ n: z.number().int() });
type Numbered = z.infer<typeof numbered>;
const { verifier_key, checkpoint, verify, ping } = auditLedgerCommands;
const seen: { traceparent?: string | null } = {};
const appended: Numbered[] = [];
/** A workspace whose command waits until it is let go. */
const slowOrg = 'org_01jd7e5sqcfnmrq9yh4qvxw2k4';
let letGo: (() => void) | undefined;

@Controller()
class LedgerHandlers {
  @MessagePattern(verifier_key.subject, { command: verifier_key })
  async key(@Payload() { org_id }: { org_id: string }, @Ctx() { traceparent }: CommandContext) {
    seen.traceparent = traceparent;
    if (org_id === slowOrg) await new Promise<void>((resolve) => (letGo = resolve));
    return { key: `key of ${org_id}` };
  }

  @MessagePattern(checkpoint.subject, { command: checkpoint })
  checkpoint() {
    throw new Refused('NOT_FOUND', 'no such log', {
      extra: { log: 'x' },
      errors: [{ pointer: '/a', detail: 'b' }],
    });
  }

  @MessagePattern(verify.subject, { command: verify })
  verify() {
    throw new Error('a secret of the implementation');
  }

  @MessagePattern(appendSubject, { batch: numbered })
  append(@Payload() items: Numbered[], @Ctx() { expiresAt }: BatchContext) {
    if (expiresAt > Date.now()) appended.push(...items);
  }
}

@Controller()
class EngineHandlers {
  @MessagePattern(evaluateSubject, { batch: numbered })
  evaluate(@Payload() items: Numbered[]) {
    if (items.some(({ n }) => n === 13)) throw new Error('unlucky');
    return [
      new Forward(
        appendSubject,
        items.map(({ n }) => ({ n: n * 10 })),
      ),
    ];
  }
}

@Module({ controllers: [LedgerHandlers] })
class LedgerModule {}
@Module({ controllers: [EngineHandlers] })
class EngineModule {}

describe('commands and batches on NATS with the permissions of the services', () => {
  let nats: TestNats;
  const connections: NatsConnection[] = [];
  const apps: INestMicroservice[] = [];
  const as = async (service: ServiceName) => {
    const nc = await connectNats({ url: nats.natsUrl(service), service, instance: 'test' });
    connections.push(nc);
    return nc;
  };
  const serve = async (service: ServiceName, module: object) => {
    const strategy = new NatsBatchServer(await as(service), {
      service,
      logger: createLogger('test', 'silent'),
    });
    const app = await NestFactory.createMicroservice<MicroserviceOptions>(module as never, {
      strategy,
      logger: false,
    });
    app.useGlobalFilters(new PassExceptions());
    await app.listen();
    apps.push(app);
  };
  let gateway: NatsConnection;
  let client: CommandClient;

  beforeAll(async () => {
    nats = await startNats();
    await serve('audit-ledger', LedgerModule);
    await serve('policy-engine', EngineModule);
    gateway = await as('gateway');
    client = new CommandClient(gateway);
  });
  afterAll(async () => {
    for (const app of apps) await app.close();
    for (const nc of connections) await nc.close();
    await nats.stop();
  });

  it('answers a command and passes the trace on', async () => {
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    expect(await client.request(verifier_key, { org_id: org }, { traceparent })).toEqual({
      key: `key of ${org}`,
    });
    expect(seen.traceparent).toBe(traceparent);
  });

  it('refuses with the callee’s code and details', async () => {
    const refusal = client.request(checkpoint, { org_id: org });
    await expect(refusal).rejects.toMatchObject({
      code: 'NOT_FOUND',
      detail: 'no such log',
      extra: { log: 'x' },
      errors: [{ pointer: '/a', detail: 'b' }],
    });
  });

  it('does not show internal errors', async () => {
    const failure = client.request(verify, { org_id: org, wait: false });
    await expect(failure).rejects.toMatchObject({ code: 'INTERNAL' });
    await expect(failure).rejects.not.toThrow('secret');
  });

  it('refuses a payload in another form, with pointers', async () => {
    await expect(client.request(verifier_key, { org_id: 'nobody' })).rejects.toMatchObject({
      code: 'VALIDATION_FAILED',
      errors: [expect.objectContaining({ pointer: '/org_id' })],
    });
  });

  it('refuses an unknown version, a missing one, and text that is not JSON', async () => {
    const ask = async (version: string | null, text: string) => {
      const head = headers();
      if (version !== null) head.set('al-version', version);
      return (await gateway.request(verifier_key.subject, text, { timeout: 2_000, headers: head })).json();
    };
    const body = JSON.stringify({ org_id: org });
    expect(await ask('2', body)).toMatchObject({ ok: false, error: { code: 'UNSUPPORTED_VERSION' } });
    expect(await ask(null, body)).toMatchObject({ ok: false, error: { code: 'UNSUPPORTED_VERSION' } });
    expect(await ask('1', '{')).toMatchObject({ ok: false });
  });

  it('does not run an expired command', async () => {
    seen.traceparent = 'untouched';
    const late = headers();
    late.set('al-version', '1');
    late.set('al-expires-at', String(Date.now() - 1));
    const answer = await gateway.request(verifier_key.subject, JSON.stringify({ org_id: org }), {
      timeout: 2_000,
      headers: late,
    });
    expect(answer.json()).toMatchObject({ ok: false, error: { code: 'UNAVAILABLE' } });
    expect(seen.traceparent).toBe('untouched');
  });

  it('is unavailable when there is no responder', async () => {
    const failure = client.request(ping, {});
    await expect(failure).rejects.toBeInstanceOf(Unavailable);
    await expect(failure).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  });

  it('is unavailable when the answer comes too late', async () => {
    const silent = (await as('approval-service')).subscribe('cmd.approval-service.ping');
    await expect(
      client.request({ ...ping, subject: 'cmd.approval-service.ping' }, {}, { timeoutMs: 50 }),
    ).rejects.toBeInstanceOf(Unavailable);
    silent.unsubscribe();
  });

  it('sends an idempotent command again while a replica hangs, and others once', async () => {
    const subject = approvalServiceCommands.jwks.subject;
    const [hanging, working] = [await as('approval-service'), await as('approval-service')];
    let unanswered = 0;
    hanging.subscribe(subject, { queue: 'approval-service', callback: () => void (unanswered += 1) });
    working.subscribe(subject, {
      queue: 'approval-service',
      callback: (_, message) => void message.respond(JSON.stringify({ ok: true, result: { keys: [] } })),
    });
    await Promise.all([hanging.flush(), working.flush()]);
    const many = (command: Command, timeoutMs: number) =>
      Promise.allSettled(Array.from({ length: 24 }, () => client.request(command, {}, { timeoutMs })));
    const answered = await many(approvalServiceCommands.jwks, 2_000);
    expect(unanswered).toBeGreaterThan(0);
    // One in sixteen meets the replica that hangs four times.
    expect(answered.filter(({ status }) => status === 'fulfilled').length).toBeGreaterThan(14);
    unanswered = 0;
    const once = await many({ ...approvalServiceCommands.jwks, isIdempotent: false }, 400);
    expect(once.filter(({ status }) => status === 'rejected')).toHaveLength(unanswered);
    expect(unanswered).toBeGreaterThan(0);
  });

  it('waits for the first answer when another replica refuses, and recognises the command by its id', async () => {
    const command = { ...approvalServiceCommands.jwks, subject: 'cmd.approval-service.deny' };
    const ids = new Set<string | undefined>();
    const refusal = (code: string) => ({ ok: false, error: { code, detail: 'not here' } });
    let answers: object[] = [];
    const replica = await as('approval-service');
    replica.subscribe(command.subject, {
      callback: (_, message) => {
        ids.add(message.headers?.get('al-command-id'));
        const answer = JSON.stringify(answers.shift());
        if (ids.size === 1 && first === undefined) first = () => void message.respond(answer);
        else {
          message.respond(answer);
          first?.();
        }
      },
    });
    let first: (() => void) | undefined;
    await replica.flush();
    for (const code of ['UNAVAILABLE', 'APPROVAL_ALREADY_DECIDED']) {
      answers = [{ ok: true, result: { keys: [] } }, refusal(code)];
      first = undefined;
      ids.clear();
      expect(await client.request(command, {}, { timeoutMs: 400 })).toEqual({ keys: [] });
      expect([...ids]).toEqual([expect.stringMatching(/^[0-9a-f-]{36}$/)]);
    }
  });

  it('sends to a service again after another one has not answered often', async () => {
    const own = new CommandClient(gateway);
    const { jwks } = approvalServiceCommands;
    const { get_channel } = notifierCommands;
    const asks = { org_id: org, channel_id: 'chn_01jd7e5sqcfnmrq9yh4qvxw2k3' };
    const [dead, replica] = [await as('notifier'), await as('approval-service')];
    const silent = dead.subscribe(get_channel.subject, { callback: () => undefined });
    let asked = 0;
    const subject = 'cmd.approval-service.cancel';
    replica.subscribe(subject, {
      callback: (_, message) => {
        asked += 1;
        if (asked === 2) message.respond(JSON.stringify({ ok: true, result: { keys: [] } }));
      },
    });
    await Promise.all([dead.flush(), replica.flush()]);
    // More than a budget of a hundred.
    await Promise.allSettled(
      Array.from({ length: 40 }, () => own.request(get_channel, asks, { timeoutMs: 200 })),
    );
    silent.unsubscribe();
    expect(await own.request({ ...jwks, subject }, {}, { timeoutMs: 400 })).toEqual({ keys: [] });
  });

  it('refuses an answer in another form', async () => {
    const other = { ...verifier_key, response: z.object({ key: z.number() }) };
    await expect(client.request(other, { org_id: org })).rejects.toBeInstanceOf(Unavailable);
  });

  it('forwards a batch from service to service and leaves bad items out', async () => {
    publishBatches(gateway, evaluateSubject, Date.now() + 5_000, [{ n: 1 }, { n: 'two' }, null, { n: 3 }]);
    await eventually(() => appended.length >= 2);
    expect(appended.splice(0)).toEqual([{ n: 10 }, { n: 30 }]);
  });

  it('drops an expired batch, a failing one and one in another form, and continues', async () => {
    publishBatches(gateway, evaluateSubject, Date.now() - 1, [{ n: 5 }]);
    publishBatches(gateway, evaluateSubject, Date.now() + 5_000, [{ n: 13 }]);
    gateway.publish(
      evaluateSubject,
      JSON.stringify({ v: 2, expires_at: Date.now() + 5_000, items: [{ n: 6 }] }),
    );
    gateway.publish(evaluateSubject, 'no JSON');
    publishBatches(gateway, evaluateSubject, Date.now() + 5_000, [{ n: 7 }]);
    await eventually(() => appended.length >= 1);
    expect(appended.splice(0)).toEqual([{ n: 70 }]);
  });

  it('refuses to let a service publish for another', async () => {
    const admin = await connect({
      servers: new URL(nats.natsUrl('admin')).host,
      user: 'admin',
      pass: decodeURIComponent(new URL(nats.natsUrl('admin')).password),
    });
    connections.push(admin);
    const heard: string[] = [];
    admin.subscribe('>', { callback: (_error, message) => void heard.push(message.subject) });
    await admin.flush();
    const forged: [ServiceName, string][] = [
      ['gateway', appendSubject],
      ['gateway', submissionReplySubject('g1')],
      ['policy-engine', submissionReplySubject('g1')],
      ['notifier', `events.${org}.approval.approved`],
      ['policy-engine', `events.${org}.action.executed`],
      ['notifier', 'cmd.policy-engine.delete_policy'],
      ['gateway', '_INBOX_audit-ledger.x'],
    ];
    for (const [service, subject] of forged) {
      const nc = await as(service);
      nc.publish(subject, '{}');
      await nc.flush();
    }
    const ledger = await as('audit-ledger');
    ledger.publish(submissionReplySubject('g1'), '{}');
    await ledger.flush();
    await eventually(() => heard.includes(submissionReplySubject('g1')));
    expect(heard.filter((subject) => subject === submissionReplySubject('g1'))).toHaveLength(1);
    const others = forged
      .map(([, subject]) => subject)
      .filter((subject) => subject !== submissionReplySubject('g1'));
    expect(heard.filter((subject) => others.includes(subject))).toEqual([]);
  });

  it('answers the commands under way before it has closed, and takes no new ones', async () => {
    const under = client.request(verifier_key, { org_id: slowOrg }, { timeoutMs: 30_000 });
    await eventually(() => letGo !== undefined);
    const ledger = apps.shift();
    // As a service stops: the handlers, then the connection.
    const stopped = ledger?.close().then(() => connections[0]?.drain());
    await eventually(() =>
      client.request(verifier_key, { org_id: org }, { timeoutMs: 500 }).then(
        () => false,
        (error: unknown) => error instanceof Unavailable,
      ),
    );
    letGo?.();
    expect(await under).toEqual({ key: `key of ${slowOrg}` });
    await stopped;
  });
});
