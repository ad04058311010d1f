import {
  evaluateSubject,
  ledgerHeartbeatSubject,
  type SubmissionAnswer,
  type SubmissionItem,
  submissionReplySubject,
  unavailableReplySubject,
  wantHeartbeatSubject,
} from '@agentlattice/contracts';
import { connectNats } from '@agentlattice/messaging';
import { createLogger } from '@agentlattice/observability';
import { eventually, startNats, type TestNats } from '@agentlattice/testkit';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import { SubmissionAnswersSubscriber } from '../inbound/submission-answers.subscriber.js';
import { SubmissionPipeline } from './submission-pipeline.js';

const instance = 'pipelinetest';
const agent = { id: 'agt_01m88r2x01f6ftfm2r74t5dha4', name: 'bot', suspended: false, owner_member_id: null };
const facts: Omit<SubmissionItem, 'item_id' | 'gateway'> = {
  org_id: 'org_01m88r2x07f6ftfm2r74t5dha4',
  agent,
  action_type: 'deploy.production',
  metadata: '{}',
  data_accessed: '[]',
  action_digest: 'A'.repeat(43),
  client_event_id: null,
  delegation_id: null,
  want_grant: false,
  correlation_id: 'req_1',
  traceparent: null,
};

type Script = (item: SubmissionItem) => Partial<SubmissionAnswer> | 'unavailable' | 'silence';

const logger = createLogger('test', 'silent');

/** A pipeline as the gateway runs it: with its subscriptions. */
async function startedPipeline(nc: NatsConnection) {
  const pipeline = new SubmissionPipeline(nc, instance, logger);
  const answers = new SubmissionAnswersSubscriber(nc, instance, pipeline, logger);
  await answers.start();
  const stop = async () => {
    await answers.stop();
    pipeline.stop();
  };
  return { pipeline, stop };
}

/** A fake engine and ledger, with the rights of the administrator. */
describe('the gateway’s end of the submission path', () => {
  let nats: TestNats;
  let harness: NatsConnection;
  let nc: NatsConnection;
  let pipeline: SubmissionPipeline;
  let stop: () => Promise<void>;
  let script: Script = () => ({});
  let heartbeat: NodeJS.Timeout | undefined;

  const executed = (item: SubmissionItem): SubmissionAnswer => ({
    item_id: item.item_id,
    agent_id: item.agent.id,
    action_digest: item.action_digest,
    outcome: {
      status: 'executed',
      verdict: 'executed',
      denial_reason: null,
      policy_name: 'p',
      audit_event_id: 'evt_01m88r2x03f6ftfm2r74t5dha4',
      approval_id: null,
      timeout_at: null,
      message: null,
      conditions_evaluated: [],
    },
    grant: null,
    replayed: false,
    error: null,
  });
  const beat = () => {
    heartbeat = setInterval(() => harness.publish(ledgerHeartbeatSubject), 100);
    harness.publish(ledgerHeartbeatSubject);
  };
  const publish = (subject: string, items: unknown[]) =>
    harness.publish(subject, JSON.stringify({ v: 1, expires_at: Date.now() + 1000, items }));

  beforeAll(async () => {
    nats = await startNats();
    harness = await connect({
      servers: nats.natsUrl('admin').replace(/\/\/[^@]+@/, '//'),
      ...login(nats.natsUrl('admin')),
    });
    harness.subscribe(evaluateSubject, {
      callback: (_error, message) => {
        for (const item of message.json<{ items: SubmissionItem[] }>().items) {
          const scripted = script(item);
          if (scripted === 'unavailable')
            publish(unavailableReplySubject(instance), [{ item_id: item.item_id, detail: 'stale' }]);
          else if (scripted !== 'silence')
            publish(submissionReplySubject(instance), [{ ...executed(item), ...scripted }]);
        }
      },
    });
    await harness.flush();
    nc = await connectNats({ url: nats.natsUrl('gateway'), service: 'gateway', instance });
    ({ pipeline, stop } = await startedPipeline(nc));
    beat();
    await eventually(() => pipeline.ledgerIsAlive());
  });
  afterAll(async () => {
    clearInterval(heartbeat);
    await stop();
    await nc.close();
    await harness.close();
    await nats.stop();
  });

  it('gives each of many submissions at once its own answer', async () => {
    script = (item) => ({ grant: `grant of ${item.action_type}` });
    const answers = await Promise.all(
      Array.from({ length: 1_000 }, (_, i) => pipeline.submit({ ...facts, action_type: `a.${String(i)}` })),
    );
    expect(answers.map(({ grant }) => grant)).toEqual(answers.map((_, i) => `grant of a.${String(i)}`));
  });

  it.each<[string, Partial<SubmissionAnswer>, string]>([
    ['names another agent', { agent_id: 'agt_other' }, 'UNAVAILABLE'],
    ['names another digest', { action_digest: 'B'.repeat(43) }, 'UNAVAILABLE'],
    ['holds no outcome', { outcome: null }, 'UNAVAILABLE'],
    [
      'is a refusal',
      { outcome: null, error: { code: 'IDEMPOTENCY_KEY_REUSED', detail: 'x' } },
      'IDEMPOTENCY_KEY_REUSED',
    ],
  ])('an answer that %s is no allow', async (_what, answer, code) => {
    script = () => answer;
    await expect(pipeline.submit(facts)).rejects.toMatchObject({ code });
  });

  it('an engine that reports stale policies becomes UNAVAILABLE', async () => {
    script = () => 'unavailable';
    await expect(pipeline.submit(facts)).rejects.toMatchObject({ code: 'UNAVAILABLE', detail: 'stale' });
  });

  it('a submission without an answer ends as UNAVAILABLE, and the next one gets through', async () => {
    script = () => 'silence';
    await expect(pipeline.submit(facts)).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    script = () => ({});
    await expect(pipeline.submit(facts)).resolves.toMatchObject({ outcome: { status: 'executed' } });
  });

  it('a submission that is lost on its way is sent again, with the event id that makes both one', async () => {
    const seen = new Map<string, number>();
    script = ({ item_id }) => {
      seen.set(item_id, (seen.get(item_id) ?? 0) + 1);
      return seen.get(item_id) === 4 ? { replayed: true } : 'silence';
    };
    const answer = await pipeline.submit({ ...facts, client_event_id: 'an id' });
    expect(answer).toMatchObject({ outcome: { status: 'executed' }, replayed: true });
    expect([...seen.values()]).toEqual([4]);
    seen.clear();
    await expect(pipeline.submit(facts)).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    expect([...seen.values()]).toEqual([1]);
  });

  it.each<[string, ReturnType<Script>]>([
    ['an engine', 'unavailable'],
    ['an approval-service', { outcome: null, error: { code: 'UNAVAILABLE', detail: 'cannot write' } }],
  ])(
    'a refusal of %s that got it again does not hide the first answer, which is late',
    async (_, refusal) => {
      let asked = 0;
      script = (item) => {
        asked += 1;
        if (asked === 1) return 'silence';
        setImmediate(() => publish(submissionReplySubject(instance), [executed(item)]));
        return refusal;
      };
      await expect(pipeline.submit({ ...facts, client_event_id: 'refused once' })).resolves.toMatchObject({
        outcome: { status: 'executed' },
      });
      expect(asked).toBe(2);
      script = () => {
        asked += 1;
        return refusal;
      };
      await expect(pipeline.submit({ ...facts, client_event_id: 'refused' })).rejects.toMatchObject({
        code: 'UNAVAILABLE',
      });
      // At once: it was not sent again.
      expect(asked).toBe(3);
    },
  );

  it('a submission that waits for the window of its workspace is not sent again before it was sent', async () => {
    const seen = new Map<string, number[]>();
    script = ({ action_type }) => {
      seen.set(action_type, [...(seen.get(action_type) ?? []), performance.now()]);
      return 'silence';
    };
    // Two batches of one item are under way, so the third item waits.
    const waiting: Promise<unknown>[] = [];
    for (const action_type of ['first', 'second', 'third']) {
      waiting.push(pipeline.submit({ ...facts, action_type, client_event_id: action_type }));
      await new Promise(setImmediate);
    }
    await Promise.allSettled(waiting);
    expect([...seen.values()].map(({ length }) => length)).toEqual([4, 4, 4]);
    const [sent = 0, again = 0] = seen.get('third') ?? [];
    expect(again - sent).toBeGreaterThan(150);
  });

  it('an answer that comes twice changes nothing', async () => {
    script = (item) => {
      publish(submissionReplySubject(instance), [executed(item)]);
      return {};
    };
    await expect(pipeline.submit(facts)).resolves.toMatchObject({ outcome: { status: 'executed' } });
  });

  it('without the ledger’s heartbeat nothing is sent, and waiting submissions end', async () => {
    script = () => 'silence';
    const waiting = pipeline.submit(facts);
    clearInterval(heartbeat);
    await expect(waiting).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    await eventually(() => !pipeline.ledgerIsAlive());
    expect(() => pipeline.submit(facts)).toThrow('ledger');
    beat();
    await eventually(() => pipeline.ledgerIsAlive());
  });

  describe('after a time without submissions', () => {
    let idle: SubmissionPipeline;
    let stopIdle: () => Promise<void>;
    let sent = 0;
    /** A gateway that has not asked for heartbeats yet; the ledger sends none. */
    beforeEach(async () => {
      clearInterval(heartbeat);
      sent = 0;
      script = () => {
        sent += 1;
        return {};
      };
      ({ pipeline: idle, stop: stopIdle } = await startedPipeline(nc));
    });
    afterEach(() => stopIdle());

    it('an idle ledger sends heartbeats again, and the submissions that waited for one get through', async () => {
      let wishes = 0;
      const wishing = harness.subscribe(wantHeartbeatSubject, {
        callback: () => {
          wishes += 1;
          harness.publish(ledgerHeartbeatSubject);
        },
      });
      await harness.flush();
      const answers = await Promise.all(Array.from({ length: 20 }, () => idle.submit(facts)));
      expect(answers.every(({ outcome }) => outcome.status === 'executed')).toBe(true);
      expect(await idle.ledgerAnswers()).toBe(true);
      expect(wishes).toBe(1);
      wishing.unsubscribe();
    });

    it('a dead ledger is reported, at once from then on, and nothing is sent', async () => {
      await expect(idle.submit(facts)).rejects.toMatchObject({
        code: 'UNAVAILABLE',
        detail: 'the audit ledger does not answer',
      });
      expect(() => idle.submit(facts)).toThrow('ledger');
      expect(idle.ledgerAnswers()).toBe(false);
      expect(sent).toBe(0);
    });
  });
});

function login(url: string) {
  const { username, password } = new URL(url);
  return { user: decodeURIComponent(username), pass: decodeURIComponent(password) };
}
