import { type Route, routeList } from '@agentlattice/contracts';
import { fold } from '@agentlattice/decider';
import fc from 'fast-check';
import { z } from 'zod';
import { actionAnswer, decidedOutcome } from './action-answer.js';
import {
  agentIn,
  type AgentStanding,
  claimsOf,
  clearedAgentsIn,
  couldLetAct,
  type Moment,
  releaseOf,
} from './act-release.js';
import { agentDecider, type AgentEvent } from './agent.js';
import {
  agentId,
  eventId,
  lifeMs,
  grantFrom,
  outcome,
  statusOf,
  viewOf,
  active,
  suspended,
  moment,
  release,
} from '../../test/release-samples.js';

const submissions = ['submitAction'] as const;
const statuses = ['approvalStatus', 'approvalStatusUnversioned', 'cancelRequest'] as const;

describe('an answer that lets an agent act', () => {
  const executed = actionAnswer({ outcome: outcome('executed'), grant: grantFrom(0) }).body;
  const approved = statusOf('approved', 0);

  it('is sent unchanged to an agent that was never suspended', () => {
    for (const id of submissions) expect(release(id, executed, moment())).toBe(executed);
    for (const id of statuses) expect(release(id, approved, moment())).toBe(approved);
  });

  it('is a denial without a grant for a suspended agent', () => {
    expect(release('submitAction', executed, moment({ standing: suspended }))).toEqual({
      status: 'denied',
      verdict: 'denied',
      denial_reason: 'AGENT_SUSPENDED',
      reason: 'AGENT_SUSPENDED',
      policy_name: 'deploys',
      audit_event_id: eventId,
      conditions_evaluated: [],
    });
    for (const id of statuses)
      expect(release(id, approved, moment({ standing: suspended }))).toEqual({
        ...approved,
        status: 'denied',
        denial_reason: 'AGENT_SUSPENDED',
        reason: 'AGENT_SUSPENDED',
        resolved_by: null,
        resolved_by_name: null,
        resolved_at: null,
        grant: null,
      });
  });

  it('is sent again once the agent is resumed, within the lifetime of its grant and no longer', () => {
    const resumed = { suspended: false, resumedAt: 500_000, delegationEnded: false };
    expect(release('approvalStatus', approved, moment({ standing: resumed, now: lifeMs - 1 }))).toBe(
      approved,
    );
    const late = moment({ standing: resumed, now: lifeMs });
    expect(release('approvalStatus', approved, late)).toMatchObject({
      status: 'denied',
      reason: 'GRANT_EXPIRED',
      grant: null,
    });
    expect(release('submitAction', executed, late)).toMatchObject({
      status: 'denied',
      reason: 'GRANT_EXPIRED',
    });
    // A decision after the resumption is independent of the suspension.
    const since = statusOf('approved', 600_000);
    expect(release('approvalStatus', since, moment({ standing: resumed, now: 9e9 }))).toBe(since);
  });

  it('of an allowed action without a grant counts as long as a grant would, and not when that is unknown', () => {
    const bare = actionAnswer({ outcome: outcome('executed'), grant: null }).body;
    const standing = { suspended: false, resumedAt: 500_000, delegationEnded: false };
    const cleared = { from: 0, until: lifeMs };
    expect(release('submitAction', bare, moment({ standing, cleared }))).toBe(bare);
    expect(release('submitAction', bare, moment({ standing, cleared, now: lifeMs }))).toMatchObject({
      status: 'denied',
    });
    expect(release('submitAction', bare, moment({ standing }))).toMatchObject({ status: 'denied' });
  });

  it('is refused when it is only a grant or the use of one', () => {
    for (const id of ['issueGrant', 'consumeGrant']) {
      const body = { grant: grantFrom(0) };
      expect(release(id, body, moment())).toBe(body);
      for (const standing of [suspended, null])
        expect(() => release(id, body, moment({ standing }))).toThrow('the agent is suspended');
    }
  });

  it('does not change for people, who get its grant when they may decide and the agent may act', () => {
    const read = (more: Partial<Moment>) => release('approvalStatus', approved, moment(more));
    expect(read({ reader: 'operator' })).toBe(approved);
    for (const more of [
      { reader: 'onlooker' },
      { reader: 'operator', standing: suspended },
      { reader: 'operator', standing: null },
    ] as const)
      expect(read(more)).toEqual({ ...approved, grant: null });
  });

  it('does not read as permission in the request itself', () => {
    const view = viewOf('approved', 0);
    expect(release('getApproval', view, moment())).toBe(view);
    expect(release('getApproval', view, moment({ reader: 'operator', standing: null }))).toBe(view);
    const shown = release('getApproval', view, moment({ standing: suspended }));
    expect(shown).toMatchObject({ status: 'denied', denial_reason: 'AGENT_SUSPENDED', history: [] });
    const list = { approvals: [view, viewOf('pending', null)], next_cursor: null };
    expect(release('listApprovals', list, moment({ standing: suspended }))).toEqual({
      approvals: [shown, list.approvals[1]],
      next_cursor: null,
    });
  });

  it('about the request of a child depends on the child, also where its parent reads', () => {
    const ended = { ...active, delegationEnded: true };
    for (const [id, body] of [
      ['approvalStatus', approved],
      ['getApproval', viewOf('approved', 0)],
    ] as const) {
      expect(clearedAgentsIn(body)).toEqual([agentId]);
      const asParent = (others: ReadonlyMap<string, AgentStanding>) =>
        release(id, body, moment({ readerId: 'agt_parent', others }));
      expect(asParent(new Map([[agentId, ended]]))).toMatchObject({
        status: 'denied',
        reason: 'DELEGATION_SCOPE',
      });
      expect(asParent(new Map([[agentId, suspended]]))).toMatchObject({ reason: 'AGENT_SUSPENDED' });
      expect(asParent(new Map())).toMatchObject({ status: 'denied' });
      expect(asParent(new Map([[agentId, active]]))).toMatchObject({ status: 'approved' });
    }
    expect(clearedAgentsIn({ approvals: [viewOf('pending', null), viewOf('approved', 0)] })).toEqual([
      agentId,
    ]);
  });

  it('is never sent after the delegation of the agent has ended, to any reader', () => {
    const ended = { ...active, delegationEnded: true };
    expect(release('submitAction', executed, moment({ standing: ended }))).toMatchObject({
      status: 'denied',
      denial_reason: 'DELEGATION_SCOPE',
      reason: 'DELEGATION_SCOPE',
    });
    expect(release('approvalStatus', approved, moment({ standing: ended }))).toMatchObject({
      status: 'denied',
      denial_reason: 'DELEGATION_SCOPE',
      grant: null,
    });
    const reader = { reader: 'operator', readerId: null } as const;
    expect(release('approvalStatus', approved, moment({ ...reader, standing: ended }))).toMatchObject({
      status: 'approved',
      grant: null,
    });
    for (const [id, body] of [
      ['issueGrant', { grant: grantFrom(0) }],
      ['consumeGrant', { status: 'consumed', agent_id: agentId }],
      ['delegate', { child_api_key: 'al_agent_x' }],
    ] as const) {
      expect(couldLetAct(body)).toBe(true);
      expect(() => release(id, body, moment({ standing: ended }))).toThrow(
        'the delegation of the agent has ended',
      );
    }
    expect(couldLetAct({ approvals: [{ status: 'pending' }, { status: 'approved' }] })).toBe(true);
    expect(couldLetAct({ approvals: [{ status: 'pending' }] })).toBe(false);
  });

  it('has no grant for the agent that its agent acts for, which sees the request', () => {
    const parent = moment({ readerId: 'agt_parent', others: new Map([[agentId, active]]) });
    expect(release('approvalStatus', approved, parent)).toEqual({ ...approved, grant: null });
    expect(release('approvalStatus', approved, moment())).toBe(approved);
  });

  it('names its agent where it holds a grant or says so', () => {
    expect(agentIn({ grant: grantFrom(0) })).toBe(agentId);
    expect(agentIn({ agent_id: agentId })).toBe(agentId);
    for (const body of [{}, { grant: null }, { grant: 'x' }, { grant: 'a.bm8.c' }])
      expect(agentIn(body)).toBeNull();
    expect(claimsOf(grantFrom(7_000))?.cleared).toEqual({ from: 7_000, until: 7_000 + lifeMs });
  });
});

describe('every route', () => {
  /** Members and values of an answer that permit an action. */
  const saysGo = ({ responses }: Route) =>
    Object.values(responses).some(({ schema }) => {
      const text = JSON.stringify(z.toJSONSchema(schema, { io: 'output', unrepresentable: 'any' }));
      return /"grant":\{|"(executed|approved|consumed)"/.test(text);
    });
  /** Records of past events, which do not depend on the agent. */
  const records = new Set(['listAuditEvents']);
  it.each(
    routeList
      .filter((route) => route.callers !== 'public' && route.callers.includes('agent') && saysGo(route))
      .map(({ id }) => [id]),
  )('that may permit an action passes the rule: %s', (id) =>
    expect(releaseOf(id) !== null || records.has(id)).toBe(true),
  );
  it('with a grant in its answer passes the rule, for every caller', () => {
    const withGrant = routeList.filter(({ responses }) =>
      Object.values(responses).some(({ schema }) =>
        JSON.stringify(z.toJSONSchema(schema, { io: 'output', unrepresentable: 'any' })).includes(
          '"grant":{',
        ),
      ),
    );
    expect(withGrant.map(({ id }) => id)).toEqual(
      expect.arrayContaining(['submitAction', 'issueGrant', 'approvalStatus', 'cancelRequest']),
    );
    for (const { id } of withGrant) expect(releaseOf(id)).not.toBeNull();
  });
});

/** One agent and its requests, as the gateway sees them. The answers of the other services are modelled, the rest is real. */
class World {
  now = 1_000_000;
  private readonly events: AgentEvent[] = [
    {
      type: 'agent.registered',
      data: { agent: { id: agentId, name: 'bot' }, description: null, owner_member_id: null },
    },
  ];
  private resumedAt: number | null = null;
  /** Whether its delegation was revoked or has expired. */
  ended = false;
  readonly requests: {
    readonly allowed: boolean;
    readonly at: number;
    decided: { how: 'approved' | 'denied'; at: number } | null;
  }[] = [];

  get suspended(): boolean {
    return fold(agentDecider, this.events).status === 'suspended';
  }

  turn(): void {
    const command = this.suspended
      ? ({ type: 'ResumeAgent' } as const)
      : ({ type: 'SuspendAgent', pending: 'keep' } as const);
    this.events.push(...agentDecider.decide(command, fold(agentDecider, this.events)));
    if (command.type === 'ResumeAgent') this.resumedAt = this.now;
  }

  /** @param body what is sent: the gateway asks for the delegation only where the body could let the agent act */
  moment(replayedAt: number | null, body: unknown): Moment {
    return {
      reader: 'agent',
      readerId: agentId,
      standing: {
        suspended: this.suspended,
        resumedAt: this.resumedAt,
        delegationEnded: this.ended && couldLetAct(body),
      },
      others: new Map(),
      now: this.now,
      cleared:
        replayedAt === null ? { from: 0, until: Infinity } : { from: replayedAt, until: replayedAt + lifeMs },
    };
  }

  /** The services' answer about a request; the gateway sends it later. */
  ask(n: number, how: 'submit' | 'wait' | 'status' | 'view' | 'issue' | 'consume', first = false) {
    const request = this.requests[n % Math.max(1, this.requests.length)];
    if (request === undefined) return null;
    const { allowed, at: since, decided } = request;
    const status = statusOf(decided?.how ?? 'pending', decided?.at ?? null);
    const clearedAt = allowed ? since : decided?.how === 'approved' ? decided.at : null;
    const answer = () => {
      switch (how) {
        case 'submit':
        case 'wait': {
          const answered = {
            outcome: outcome(allowed ? 'executed' : 'requested'),
            grant: allowed && n % 2 === 0 ? grantFrom(since) : null,
          };
          return [
            'submitAction',
            actionAnswer(how === 'wait' && !allowed ? decidedOutcome(answered, status) : answered).body,
          ] as const;
        }
        case 'status':
          return allowed ? null : (['approvalStatus', status] as const);
        case 'view':
          return allowed ? null : (['getApproval', viewOf(status.status, decided?.at ?? null)] as const);
        case 'issue':
        case 'consume':
          return clearedAt === null ? null : ([`${how}Grant`, { grant: grantFrom(clearedAt) }] as const);
      }
    };
    const made = answer();
    return made === null ? null : { made, clearedAt, first, since };
  }
}

type Step =
  | { readonly do: 'turn' | 'wait' | 'submit'; readonly n: number }
  | { readonly do: 'decide'; readonly n: number; readonly approve: boolean }
  | {
      readonly do: 'ask';
      readonly n: number;
      readonly how: Parameters<World['ask']>[1];
      readonly hold: boolean;
    }
  | { readonly do: 'end' | 'let out' };
const number = fc.nat(9);
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ do: fc.constantFrom('turn' as const, 'submit' as const), n: number }),
  fc.record({ do: fc.constant('wait' as const), n: fc.nat(800_000) }),
  fc.record({ do: fc.constant('decide' as const), n: number, approve: fc.boolean() }),
  fc.record({
    do: fc.constant('ask' as const),
    n: number,
    how: fc.constantFrom(
      'submit' as const,
      'wait' as const,
      'status' as const,
      'view' as const,
      'issue' as const,
      'consume' as const,
    ),
    hold: fc.boolean(),
  }),
  fc.constant({ do: 'let out' as const }),
  // Most agents keep their delegation.
  fc.nat(7).map((n) => (n === 0 ? ({ do: 'end' } as const) : ({ do: 'wait', n: 0 } as const))),
);

/** Whether it lets its reader act. */
const isGo = (text: string) => /"(executed|approved)"|"grant":"/.test(text);

it('in any interleaving, no answer lets an agent act that is suspended or whose delegation ended, and every other answer does within its lifetime', () => {
  let [goes, stops] = [0, 0];
  fc.assert(
    fc.property(fc.array(step, { minLength: 4, maxLength: 40 }), (steps) => {
      const world = new World();
      const held: NonNullable<ReturnType<World['ask']>>[] = [];
      const letOut = ({ made: [id, body], clearedAt, first, since }: (typeof held)[number]) => {
        let text: string;
        try {
          text = JSON.stringify(release(id, body, world.moment(first ? null : since, body)));
        } catch {
          text = 'refused';
        }
        if (world.suspended || world.ended) {
          expect(isGo(text)).toBe(false);
          if (isGo(JSON.stringify(body))) stops += 1;
          return;
        }
        // The lifetime of a grant is counted in whole seconds.
        if (clearedAt !== null && world.now < clearedAt + lifeMs - 1_000 && isGo(JSON.stringify(body))) {
          expect(isGo(text)).toBe(true);
          goes += 1;
        }
      };
      for (const one of [...steps, { do: 'let out' } as const]) {
        switch (one.do) {
          case 'turn':
            world.turn();
            break;
          case 'wait':
            world.now += one.n;
            break;
          case 'submit': {
            // While it is suspended the engine denies, so there is no verdict to repeat later.
            if (world.suspended || world.ended) break;
            world.requests.push({ allowed: one.n % 2 === 0, at: world.now, decided: null });
            const asked = world.ask(world.requests.length - 1, 'submit', true);
            if (asked !== null) held.push(asked);
            break;
          }
          case 'decide': {
            const request = world.requests[one.n % Math.max(1, world.requests.length)];
            if (request !== undefined && !request.allowed)
              request.decided ??= { how: one.approve ? 'approved' : 'denied', at: world.now };
            break;
          }
          case 'ask': {
            const asked = world.ask(one.n, one.how);
            if (asked === null) break;
            if (one.hold) held.push(asked);
            else letOut(asked);
            break;
          }
          case 'end':
            world.ended = true;
            break;
          case 'let out':
            for (const asked of held.splice(0)) letOut(asked);
        }
        world.now += 1;
      }
    }),
    { numRuns: 2_000 },
  );
  // Both kinds of answers occurred.
  expect(Math.min(goes, stops)).toBeGreaterThan(100);
});
