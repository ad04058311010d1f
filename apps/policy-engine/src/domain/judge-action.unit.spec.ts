import type { AgentRef } from '@agentlattice/contracts';
import { fold, Refused } from '@agentlattice/decider';
import fc from 'fast-check';
import { action, stored, wednesdayMorning } from '../../test/policy-fixture.js';
import type { Link } from './chain-of-links.js';
import type { CompiledPolicy } from './compile-policy.js';
import { type Delegation, delegationDecider, type DelegationEvent } from './delegation.js';
import type { Judgement } from './evaluate.js';
import type { ActingAgent } from './facts.js';
import { judgeAction } from './judge-action.js';
import { policySet } from './select-policy.js';

const orgId = 'org_1';
const actionTypes = ['db.read', 'db.write', 'mail.send'];
const patterns = ['db.read', 'db.*', 'mail.send', '*'];
const strictness = { denied: 0, requested: 1, executed: 2 };
interface Stream {
  readonly id: string;
  readonly events: DelegationEvent[];
}
interface Someone extends AgentRef {
  /** The delegations that it lives by, the first one first. */
  readonly chain: readonly Stream[];
  readonly above: readonly Someone[];
  suspended: boolean;
}

/** Agents, delegations and policies of one workspace, by the real rules. */
class World {
  now = wednesdayMorning;
  policies: CompiledPolicy[] = [];
  readonly agents: Someone[] = [{ id: 'agt_0', name: 'agent 0', chain: [], above: [], suspended: false }];
  readonly streams: Stream[] = [];

  stateOf(stream: Stream): Delegation {
    return fold(delegationDecider, stream.events);
  }

  /** @returns false when it is refused */
  delegate(parent: Someone, capabilities: string[], ttlSeconds: number): boolean {
    const n = this.agents.length;
    const child = { id: `agt_${String(n)}`, name: `agent ${String(n)}` };
    const stream: Stream = { id: `del_${String(n)}`, events: [] };
    try {
      stream.events.push(
        ...delegationDecider.decide(
          {
            type: 'CreateDelegation',
            id: stream.id,
            child,
            parent: { agent: parent, chain: parent.chain.map((link) => this.stateOf(link)) },
            capabilities,
            ttlSeconds,
            liveInTree: 0,
            now: new Date(this.now),
          },
          delegationDecider.initialState(),
        ),
      );
    } catch (error) {
      if (error instanceof Refused) return false;
      throw error;
    }
    this.streams.push(stream);
    this.agents.push({
      ...child,
      chain: [...parent.chain, stream],
      above: [...parent.above, parent],
      suspended: false,
    });
    return true;
  }

  /** Only the delegation itself: verdicts must not depend on the events of those below it. */
  end(stream: Stream, how: 'RevokeDelegation' | 'ExpireDelegation'): void {
    const now = new Date(this.now);
    stream.events.push(
      ...delegationDecider.decide(
        how === 'RevokeDelegation' ? { type: how, revokedWith: null, now } : { type: how, now },
        this.stateOf(stream),
      ),
    );
  }

  links(): Map<string, Link> {
    const links = this.streams.flatMap((stream): [string, Link][] => {
      const state = this.stateOf(stream);
      if (state.status !== 'live') return [];
      const { id, agent, actingFor, above, capabilities, expiresAt } = state;
      const link = {
        id,
        orgId,
        agentId: agent.id,
        parentAgentId: actingFor.at(-1)?.id ?? '',
        parentId: above.at(-1) ?? null,
        capabilities,
        expiresAt: expiresAt.getTime(),
      };
      return [[id, link]];
    });
    return new Map(links);
  }

  /** As the gateway sends it with a submission. */
  asking(agent: Someone): ActingAgent {
    const own = agent.chain.at(-1);
    const ancestors = agent.above.map(({ id, name }) => ({ id, name, owner_member_id: null }));
    return {
      id: agent.id,
      name: agent.name,
      owner_member_id: null,
      suspended: [agent, ...agent.above].some(({ suspended }) => suspended),
      delegation: own === undefined ? null : { id: own.id, ancestors },
    };
  }

  judge(agent: Someone, actionType: string): Judgement {
    return judgeAction(
      { ...action({ action_type: actionType }), agent: this.asking(agent) },
      {
        policies: policySet(this.policies),
        delegations: this.links(),
        orgId,
        now: this.now,
        time: this.now,
      },
    );
  }

  /** Whether every agent and delegation on the way to the agent permits an action, by the words of the rule. */
  mayAct(agent: Someone, actionType: string): boolean {
    const alive = agent.chain.every((stream) => {
      const state = this.stateOf(stream);
      if (state.status !== 'live' || state.expiresAt.getTime() <= this.now) return false;
      return state.capabilities.some(
        (pattern) =>
          pattern === '*' || pattern === actionType || (pattern === 'db.*' && actionType.startsWith('db.')),
      );
    });
    return alive && ![agent, ...agent.above].some(({ suspended }) => suspended);
  }
}

const n = fc.nat(30);
const policy = fc
  .record({
    action_type: fc.constantFrom(...patterns),
    effect: fc.constantFrom('allow', 'allow', 'require_approval', 'deny', 'conditional', 'conditional'),
    field: fc.constantFrom('agent.name', 'agent.id'),
    operator: fc.constantFrom('eq', 'neq'),
    agent: fc.nat(5),
    on_fail: fc.constantFrom('deny', 'require_approval'),
  })
  .map(({ field, operator, agent, effect, action_type, on_fail }) => ({
    action_type,
    effect,
    ...(effect === 'conditional'
      ? {
          on_fail,
          conditions: [
            { field, operator, value: `${field === 'agent.name' ? 'agent ' : 'agt_'}${String(agent)}` },
          ],
        }
      : {}),
  }));
const step = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('delegate' as const),
      n,
      capabilities: fc.uniqueArray(fc.constantFrom(...patterns), { minLength: 1, maxLength: 2 }),
      ttl: fc.integer({ min: 1, max: 100 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom('revoke' as const, 'expire' as const), n }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('suspend' as const), n }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('wait' as const), n }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('policies' as const),
      policies: fc.array(policy, { maxLength: 4 }),
    }),
  },
);

it('an agent that acts for others never may what its parent may not at that moment, whatever happened before', () => {
  const seen = { allowed: 0, asked: 0, narrowed: 0, stricter: 0 };
  fc.assert(
    fc.property(
      fc.array(step, { minLength: 3, maxLength: 25 }),
      fc.array(policy, { maxLength: 4 }),
      (steps, first) => {
        const world = new World();
        world.policies = first.map((members, age) => stored(members, { age }));
        const pick = <T>(list: readonly T[], at: number) => list[at % Math.max(1, list.length)];
        for (const one of steps) {
          switch (one.do) {
            case 'delegate': {
              const parent = pick(world.agents, one.n);
              if (parent !== undefined && !world.delegate(parent, one.capabilities, one.ttl))
                seen.narrowed += 1;
              break;
            }
            case 'revoke':
            case 'expire': {
              const stream = pick(world.streams, one.n);
              if (stream !== undefined)
                world.end(stream, one.do === 'revoke' ? 'RevokeDelegation' : 'ExpireDelegation');
              break;
            }
            case 'suspend': {
              const agent = pick(world.agents, one.n);
              if (agent !== undefined) agent.suspended = !agent.suspended;
              break;
            }
            case 'wait':
              world.now += one.n * 1_000;
              break;
            case 'policies':
              world.policies = one.policies.map((members, age) => stored(members, { age }));
          }
          for (const agent of world.agents)
            for (const actionType of actionTypes) {
              const { decision } = world.judge(agent, actionType);
              const parent = agent.above.at(-1);
              if (!world.mayAct(agent, actionType)) expect(decision).toBe('denied');
              if (parent === undefined) continue;
              const ofParent = world.judge(parent, actionType).decision;
              expect(strictness[decision]).toBeLessThanOrEqual(strictness[ofParent]);
              if (decision === 'executed') seen.allowed += 1;
              if (decision === 'requested') seen.asked += 1;
              if (world.mayAct(agent, actionType) && decision !== ofParent) seen.stricter += 1;
            }
        }
      },
    ),
    { numRuns: 100 },
  );
  // All of it occurred.
  expect(Math.min(...Object.values(seen))).toBeGreaterThan(20);
});

describe('a delegated agent', () => {
  const world = new World();
  world.policies = [stored({ name: 'all', action_type: '*', effect: 'allow' })];
  const [root] = world.agents;
  if (root === undefined) throw new Error('there is a first agent');
  world.delegate(root, ['db.*'], 3_600);
  const child = world.agents[1];
  if (child === undefined) throw new Error('the child is there');
  const judged = (changes: { delegation_id?: string; agent?: Partial<ActingAgent>; org?: string }) =>
    judgeAction(
      {
        ...action({ action_type: 'db.read' }),
        delegation_id: changes.delegation_id ?? null,
        agent: { ...world.asking(child), ...changes.agent },
      },
      {
        policies: policySet(world.policies),
        delegations: world.links(),
        orgId: changes.org ?? orgId,
        now: world.now,
        time: world.now,
      },
    );
  const scope = { decision: 'denied', denial_reason: 'DELEGATION_SCOPE' };

  it('is allowed with and without the header that names its delegation', () => {
    expect(judged({})).toMatchObject({ decision: 'executed' });
    expect(judged({ delegation_id: 'del_1' })).toMatchObject({ decision: 'executed' });
  });

  it('is denied when header, key, agents or workspace disagree', () => {
    const ancestors = [{ id: 'agt_9', name: 'another', owner_member_id: null }];
    for (const changes of [
      { delegation_id: 'del_2' },
      { agent: { id: 'agt_9' } },
      { agent: { delegation: { id: 'del_9', ancestors } } },
      { agent: { delegation: { id: 'del_1', ancestors } } },
      { agent: { delegation: { id: 'del_1', ancestors: [...ancestors, ...ancestors] } } },
      { agent: { delegation: null }, delegation_id: 'del_1' },
      { org: 'org_2' },
    ])
      expect(judged(changes)).toMatchObject(scope);
  });

  it('is told by the first reason that counts: suspension, delegation, policies', () => {
    expect(judged({ agent: { suspended: true }, delegation_id: 'del_2' })).toMatchObject({
      denial_reason: 'AGENT_SUSPENDED',
    });
    world.policies = [];
    expect(judged({ delegation_id: 'del_2' })).toMatchObject(scope);
    expect(judged({})).toMatchObject({ denial_reason: 'POLICY_NOT_FOUND' });
  });
});
