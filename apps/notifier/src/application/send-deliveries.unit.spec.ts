import { createLogger } from '@agentlattice/observability';
import { eventually } from '@agentlattice/testkit';
import type { Outcome } from '../domain/outcome.js';
import type { ClaimedDelivery, ClaimLimits } from '../outbound/delivery-queue.js';
import { SecretBox } from '../outbound/secret-box.js';
import { SendDeliveries } from './send-deliveries.js';

const due = (n: number): ClaimedDelivery => ({
  org_id: 'org_1',
  delivery_id: `dlv_${String(n)}`,
  channel_id: null,
  type: 'email',
  target: 'somebody@example.com',
  lane: 'email:org_1',
  attempts: 0,
  claim: 'a',
  traceparent: null,
  channel: null,
  event: {
    specversion: '1.0',
    id: 'evt_1',
    source: 's',
    type: 'approval.escalated',
    subject: 'apr_1',
    time: new Date(0).toISOString(),
    datacontenttype: 'application/json',
    data: {},
  },
});

/** All due deliveries are claimed at once; `send` gives the outcome of each. */
async function sending(count: number, send: () => Promise<Outcome>) {
  const logged: string[] = [];
  const given: ClaimLimits[] = [];
  const settled: Outcome[] = [];
  const waiting = Array.from({ length: count }, (_, n) => due(n));
  const sender = {
    signed: false,
    send: async () => ({ request: { method: '', target: '', headers: {}, body: '' }, outcome: await send() }),
  };
  const work = new SendDeliveries({
    queue: {
      claim: (_claim, _leaseMs, limits) => {
        given.push(limits);
        return Promise.resolve(waiting.splice(0));
      },
      settle: (_delivery, { outcome }) => {
        settled.push(outcome);
        return Promise.resolve(null);
      },
      hasPending: () => Promise.resolve(false),
      oldestDueSeconds: () => Promise.resolve(0),
      release: () => Promise.resolve(),
    },
    disableChannel: () => Promise.resolve(),
    senders: { email: { ...sender, atOnce: 16 }, webhook: sender },
    box: new SecretBox('a key for tests alone'),
    logger: createLogger('test', 'debug', { write: (line) => void logged.push(line) }),
  });
  work.start();
  work.wake();
  return { work, logged, given, settled };
}

it('a failure is logged by its delivery and status, without the receiver and its answer', async () => {
  const error = '550 no somebody@example.com at mail.inside.example [10.0.0.7]';
  const { work, logged, settled } = await sending(1, () =>
    Promise.resolve({ kind: 'failed', error, status: 550, answer: error }),
  );
  await eventually(() => settled.length === 1 && logged.length > 0);
  await work.stop();
  expect(logged.map((line) => JSON.parse(line) as unknown)).toMatchObject([
    { delivery_id: 'dlv_0', status: 550, msg: 'a delivery failed' },
  ]);
  expect(logged.join('')).not.toMatch(/somebody|inside|10\.0\.0\.7/);
});

it('types that share a server are claimed up to their common limit', async () => {
  const ends: (() => void)[] = [];
  const { work, given } = await sending(5, async () => {
    await new Promise<void>((end) => ends.push(end));
    return { kind: 'delivered', status: 250, answer: null };
  });
  await eventually(() => given.length >= 2);
  expect(given.slice(0, 2).map(({ types }) => types)).toEqual([{ email: 16 }, { email: 11 }]);
  expect(given[1]).toMatchObject({ lanes: { 'email:org_1': 5 }, workspaces: { org_1: 5 } });
  ends.forEach((end) => end());
  await work.stop();
});
