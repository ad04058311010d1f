import {
  type CommandRequest,
  type CommandResponse,
  policyEngineCommands,
  type PolicyContent,
  policyInput,
  type PolicyRef,
  type WireEvent,
} from '@agentlattice/contracts';
import { connectNats, respondTo } from '@agentlattice/messaging';
import { type FakeEventSource, fakeEventSource } from '@agentlattice/testkit';
import { logger, newId, requested } from './approval-fixture.js';

type Rejudge = typeof policyEngineCommands.rejudge;
export type RejudgeItem = CommandRequest<Rejudge>['items'][number];
export type FakeJudgement = Omit<CommandResponse<Rejudge>['judgements'][number], 'approval_id'>;

/** Publishes changes of policies and judges as the test defines. */
export interface FakePolicyEngine {
  readonly source: FakeEventSource;
  /** The requests that it was asked about. */
  readonly asked: RejudgeItem[][];
  judge: (item: RejudgeItem) => FakeJudgement;
  /** It answers after this has resolved. */
  thinking: Promise<void>;
  /** How many items of one request it answers. */
  atOnce: number;
  change(
    org: string,
    type: string,
    policy?: Partial<PolicyRef>,
    content?: Partial<PolicyContent>,
  ): Promise<WireEvent>;
  /** Stops answering until `back`. */
  away(): void;
  back(): Promise<void>;
  stop(): Promise<void>;
}

export const policyRef = (changes: Partial<PolicyRef> = {}): PolicyRef => ({
  id: newId('pol'),
  name: 'a policy',
  version: 1,
  hash: 'b'.repeat(64),
  ...changes,
});

const none = { denial_reason: null, conditions_evaluated: [], terms: null };
export const allows = (policy = policyRef()): FakeJudgement => ({ ...none, decision: 'executed', policy });
export const denies = (policy = policyRef()): FakeJudgement => ({
  ...none,
  decision: 'denied',
  denial_reason: 'POLICY_DENIED',
  policy,
});
export const governsNothing: FakeJudgement = {
  ...none,
  decision: 'denied',
  denial_reason: 'POLICY_NOT_FOUND',
  policy: null,
};
export const asks = (
  policy = policyRef(),
  changes: Partial<NonNullable<FakeJudgement['terms']>> = {},
): FakeJudgement => ({
  ...none,
  decision: 'requested',
  policy,
  terms: { ...requested(newId('org')).terms, ...changes },
});

export async function fakePolicyEngine(url: string): Promise<FakePolicyEngine> {
  const nc = await connectNats({ url, service: 'policy-engine', instance: 't' });
  const source = await fakeEventSource(nc, 'policy-engine');
  const answer = () =>
    respondTo(nc, {
      command: policyEngineCommands.rejudge,
      queue: 'policy-engine',
      logger,
      handler: async (payload) => {
        const { items } = policyEngineCommands.rejudge.request.parse(payload);
        engine.asked.push(items);
        await engine.thinking;
        return {
          judgements: items
            .slice(0, engine.atOnce)
            .map((item) => ({ approval_id: item.approval_id, ...engine.judge(item) })),
        };
      },
    });
  let answering = answer();
  const engine: FakePolicyEngine = {
    source,
    asked: [],
    judge: () => asks(),
    thinking: Promise.resolve(),
    atOnce: 100,
    change: async (org_id, type, policy = {}, content = {}) => {
      const { id, name, version, hash } = policyRef(policy);
      const [event] = await source.emit({
        org_id,
        stream_id: id,
        type,
        version,
        correlation_id: 'req-7',
        data: {
          policy_id: id,
          name,
          version,
          hash,
          content: policyInput.parse({
            name,
            action_type: 'deploy.production',
            effect: 'require_approval',
            ...content,
          }),
        },
      });
      if (event === undefined) throw new Error('no event was published');
      return event;
    },
    away: () => answering.unsubscribe(),
    back: async () => {
      answering = answer();
      await nc.flush();
    },
    stop: () => nc.close(),
  };
  await nc.flush();
  return engine;
}
