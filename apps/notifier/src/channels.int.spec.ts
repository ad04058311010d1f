import { notifierCommands as commands, type Refused } from '@agentlattice/contracts';
import { eventually, type WebhookReceiver, webhookReceiver } from '@agentlattice/testkit';
import { ApprovalFacts } from '../test/approval-facts.js';
import { actor, newId, notifierHarness, type NotifierHarness } from '../test/notifier-harness.js';

let harness: NotifierHarness;
let receiver: WebhookReceiver;
beforeAll(async () => {
  receiver = await webhookReceiver();
  harness = await notifierHarness();
});
afterAll(async () => {
  await harness.stop();
  await receiver.stop();
});
beforeEach(() => receiver.answer({ status: 200 }));

const org_id = newId('org');
const change = { org_id, actor, correlation_id: 'req_1' };
const rowOf = async (channel_id: string) => {
  const { rows } = await harness.pool.query<Record<string, unknown>>(
    'SELECT * FROM channel WHERE channel_id = $1',
    [channel_id],
  );
  return rows[0];
};
const refusal = (asked: Promise<unknown>) =>
  asked.then(
    () => Promise.reject(new Error('it was not refused')),
    (error: unknown) => error as Refused,
  );
const emitOpened = (facts: ApprovalFacts) => harness.source('approval-service').emit(facts.opened());

describe('a channel', () => {
  it('shows its secret once, and keeps it sealed', async () => {
    const { id, secret, ...made } = await harness.webhook(org_id, `${receiver.url}/a`, [
      'approval.requested',
    ]);
    expect(secret).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
    expect(made).toMatchObject({ type: 'webhook', enabled: true, url: `${receiver.url}/a` });
    const { channels } = await harness.client.request(commands.list_channels, {
      org_id,
      cursor: null,
      limit: 10,
    });
    expect(JSON.stringify(channels)).not.toContain('whsec_');
    expect(JSON.stringify(await rowOf(id))).not.toContain(secret.slice('whsec_'.length));
    const { rows } = await harness.pool.query('SELECT data FROM event WHERE stream_id = $1', [id]);
    expect(JSON.stringify(rows)).not.toContain(receiver.url);
  });

  it('signs with both secrets during a rotation, with one after it', async () => {
    const { id, secret } = await harness.webhook(org_id, `${receiver.url}/b`, ['approval.requested']);
    const rotate = (overlap_ms: number) =>
      harness.client.request(commands.rotate_secret, { ...change, channel_id: id, overlap_ms });
    const rotated = await rotate(60_000);
    expect(rotated.secret).not.toBe(secret);
    await emitOpened(new ApprovalFacts(org_id));
    await eventually(() => receiver.verified('/b', secret).length === 1);
    expect(receiver.verified('/b', rotated.secret ?? '')).toHaveLength(1);
    const { secret: last = '', former_secret_until } = await rotate(0);
    expect(former_secret_until).toBeNull();
    await emitOpened(new ApprovalFacts(org_id));
    await eventually(() => receiver.verified('/b', last).length === 1);
    expect(receiver.verified('/b', rotated.secret ?? '')).toHaveLength(1);
  });

  it('reports the outcome of a test, also of a failed one', async () => {
    const { id, secret } = await harness.webhook(org_id, `${receiver.url}/c`, []);
    const test = (channel_id: string) =>
      harness.client.request(commands.test_channel, { ...change, channel_id });
    expect(await test(id)).toMatchObject({
      outcome: 'delivered',
      request: { method: 'POST', target: `${receiver.url}/c` },
      answer: { status: 200, body: 'noted' },
      error: null,
    });
    expect(receiver.verified('/c', secret)[0]?.event.type).toBe('channel.test');
    receiver.answer({ status: 500 });
    expect(await test(id)).toMatchObject({
      outcome: 'failed',
      answer: { status: 500 },
      error: 'the receiver answered 500',
    });
    const inside = await harness.webhook(org_id, 'http://169.254.169.254/latest', []);
    expect(await test(inside.id)).toMatchObject({
      outcome: 'failed',
      answer: null,
      error: expect.stringContaining('EGRESS_ALLOW'),
    });
    const to = ['ops@example.com'];
    const mail = await harness.channel(org_id, { type: 'email', name: 'm', events: [], enabled: true, to });
    expect(await test(mail.id)).toMatchObject({ outcome: 'kept', answer: null, request: { target: to[0] } });
    expect(await harness.deliveries(org_id, { channel_id: id })).toEqual([]);
    const { rows } = await harness.pool.query(
      `SELECT data, meta -> 'actor' AS actor FROM event WHERE org_id = $1 AND type = 'channel.tested' ORDER BY id`,
      [org_id],
    );
    expect(rows.map((row: { data: { channel_id: string } }) => row.data.channel_id)).toEqual([
      ...[id, id],
      ...[inside.id, mail.id],
    ]);
    expect(rows).toMatchObject([{ actor }, { actor }, { actor }, { actor }]);
  });

  it('is found by id in its own workspace alone, until it is deleted', async () => {
    const { id } = await harness.webhook(org_id, `${receiver.url}/known`, []);
    const gone = await harness.webhook(org_id, `${receiver.url}/gone`, []);
    await harness.client.request(commands.delete_channel, { ...change, channel_id: gone.id });
    const channel_ids = [id, gone.id, newId('chn')];
    const engine = harness.clientOf('policy-engine');
    const find = (org: string) => engine.request(commands.find_channels, { org_id: org, channel_ids });
    expect(await find(org_id)).toEqual({ channel_ids: [id] });
    expect(await find(newId('org'))).toEqual({ channel_ids: [] });
  });

  it('is changed member by member, by the members of its type', async () => {
    const { id } = await harness.webhook(org_id, `${receiver.url}/d`, ['approval.requested']);
    const update = (patch: object) =>
      harness.client.request(commands.update_channel, { ...change, channel_id: id, patch });
    expect(await update({ name: 'night', url: `${receiver.url}/e` })).toMatchObject({
      name: 'night',
      events: ['approval.requested'],
      url: `${receiver.url}/e`,
    });
    await update({ name: 'night' });
    expect(await refusal(update({ to: ['a@example.com'] }))).toMatchObject({
      code: 'VALIDATION_FAILED',
      errors: [{ pointer: '/to' }],
    });
    const { rows } = await harness.pool.query<{ type: string; data: { changed?: string[] } }>(
      'SELECT type, data FROM event WHERE stream_id = $1 ORDER BY version',
      [id],
    );
    expect(rows.map(({ type, data }) => [type, data.changed])).toEqual([
      ['channel.created', undefined],
      ['channel.updated', ['name', 'url']],
    ]);
  });

  it('stores a URL in the form in which it is requested, and refuses white space around it', async () => {
    const made = await harness.webhook(org_id, 'http://①②⑦.0.0.1/x', []);
    expect(made.url).toBe('http://127.0.0.1/x');
    expect((await rowOf(made.id))?.['settings']).toEqual({ url: 'http://127.0.0.1/x' });
    const patch = { url: 'http://bücher.example' };
    expect(
      await harness.client.request(commands.update_channel, { ...change, channel_id: made.id, patch }),
    ).toMatchObject({ url: 'http://xn--bcher-kva.example/' });
    expect(await refusal(harness.webhook(org_id, ' http://127.0.0.1/x\r\n', []))).toMatchObject({
      code: 'VALIDATION_FAILED',
    });
  });

  it('keeps both of two changes of different members at once', async () => {
    const { id: channel_id } = await harness.webhook(org_id, `${receiver.url}/f`, ['approval.requested']);
    const update = (patch: object) =>
      harness.client.request(commands.update_channel, { ...change, channel_id, patch });
    for (let round = 0; round < 20; round++) {
      const [url, name] = [`${receiver.url}/f${String(round)}`, `round ${String(round)}`];
      await Promise.all([update({ url }), update({ name })]);
      const now = await harness.client.request(commands.get_channel, { org_id, channel_id });
      expect(now).toMatchObject({ url, name });
    }
  });

  it('has no counted failures after a change', async () => {
    const { id: channel_id } = await harness.webhook(org_id, `${receiver.url}/g`, []);
    await harness.pool.query(
      `INSERT INTO channel_failures (org_id, channel_id, failures, since) VALUES ($1, $2, 9, now())`,
      [org_id, channel_id],
    );
    const patch = { url: `${receiver.url}/h` };
    await harness.client.request(commands.update_channel, { ...change, channel_id, patch });
    const { rows } = await harness.pool.query('SELECT failures FROM channel_failures WHERE channel_id = $1', [
      channel_id,
    ]);
    expect(rows).toEqual([{ failures: 0 }]);
  });

  it('has no secret when its type is not signed', async () => {
    const to = ['ops@example.com'];
    const mail = await harness.channel(org_id, { type: 'email', name: 'm', events: [], enabled: true, to });
    expect(mail).not.toHaveProperty('secret');
    const rotation = { ...change, channel_id: mail.id, overlap_ms: 0 };
    expect(await refusal(harness.client.request(commands.rotate_secret, rotation))).toMatchObject({
      code: 'CHANNEL_HAS_NO_SECRET',
    });
  });

  it('keeps no address and no secret after its deletion, and gets no more deliveries', async () => {
    const { id } = await harness.webhook(org_id, `${receiver.url}/f`, ['approval.requested']);
    receiver.answer('hang up');
    await emitOpened(new ApprovalFacts(org_id));
    const failed = async () => (await harness.deliveries(org_id, { channel_id: id }))[0];
    await eventually(async () => (await failed())?.attempts_made === 1);
    await harness.client.request(commands.delete_channel, { ...change, channel_id: id });
    expect(await rowOf(id)).toMatchObject({ settings: {}, secret: null, former_secret: null });
    expect(await failed()).toMatchObject({ status: 'dead' });
    const gone = { code: 'NOT_FOUND' };
    const one = { org_id, channel_id: id };
    expect(await refusal(harness.client.request(commands.get_channel, one))).toMatchObject(gone);
    const again = harness.client.request(commands.delete_channel, { ...change, channel_id: id });
    expect(await refusal(again)).toMatchObject(gone);
  });

  it('does not exist for another workspace', async () => {
    const { id: channel_id } = await harness.webhook(org_id, `${receiver.url}/g`, ['approval.requested']);
    const stranger = { ...change, org_id: newId('org'), channel_id };
    for (const asked of [
      harness.client.request(commands.get_channel, stranger),
      harness.client.request(commands.update_channel, { ...stranger, patch: { name: 'x' } }),
      harness.client.request(commands.delete_channel, stranger),
      harness.client.request(commands.rotate_secret, { ...stranger, overlap_ms: 0 }),
      harness.client.request(commands.test_channel, stranger),
    ])
      expect(await refusal(asked)).toMatchObject({ code: 'NOT_FOUND' });
    const other = new ApprovalFacts(stranger.org_id);
    await harness.source('approval-service').emit(other.escalated({ channels: [channel_id] }));
    const stored = async () =>
      (await harness.pool.query('SELECT FROM outgoing_event WHERE subject = $1', [other.approval_id])).rows;
    await eventually(async () => (await stored()).length === 1);
    expect(await harness.deliveries(stranger.org_id)).toEqual([]);
    expect(receiver.got.filter(({ path }) => path === '/g')).toEqual([]);
  });

  it('is listed in pages', async () => {
    const org = newId('org');
    for (const name of ['1', '2', '3']) await harness.webhook(org, `${receiver.url}/${name}`, []);
    const list = (cursor: string | null, limit: number) =>
      harness.client.request(commands.list_channels, { org_id: org, cursor, limit });
    const first = await list(null, 2);
    const rest = await list(first.next_cursor, 2);
    expect([...first.channels, ...rest.channels].map(({ url }) => url?.at(-1))).toEqual(['1', '2', '3']);
    expect(rest.next_cursor).toBeNull();
  });
});
