import { AgentLatticeError, type ActionResult, type ApprovalStatus } from '@agentlattice/sdk';
import { Blocked, clearCall, type ClearingPorts } from './clear-call.js';

const asked = { actionType: 'tool.shell', metadata: { input: { command: 'ls' } } };

/** The system, as far as a hook sees it: what it answers to each event id, and how its requests stand. */
class FakeSystem {
  readonly steps: string[] = [];
  readonly kept = new Map<string, string>();
  private drawn = 0;
  next: (eventId: string) => Partial<ActionResult> = () => ({ status: 'executed', grant: 'g' });
  statuses: Partial<ApprovalStatus>[] = [];
  consume: () => Promise<void> = () => Promise.resolve();
  verify: () => Promise<void> = () => Promise.resolve();

  ports(signal = new AbortController().signal): ClearingPorts {
    return {
      signal,
      caller: 'c',
      linkTo: (id) => `http://h/approvals/${id}`,
      requests: {
        find: () => {
          const known = this.kept.get('call');
          if (known !== undefined) return Promise.resolve({ eventId: known, isNew: false });
          const eventId = `e${String(++this.drawn)}`;
          this.kept.set('call', eventId);
          return Promise.resolve({ eventId, isNew: true });
        },
        close: (_, { eventId }) => {
          if (this.kept.get('call') === eventId) this.kept.delete('call');
          return Promise.resolve();
        },
      },
      client: {
        execute: (_, options) => {
          const eventId = options?.eventId ?? '';
          this.steps.push(`execute ${eventId}`);
          const blank = {
            approvalId: null,
            grant: null,
            denialReason: null,
            policyName: 'p',
            auditEventId: 'evt',
          };
          return Promise.resolve({ ...blank, ...this.next(eventId) } as ActionResult);
        },
        approvalStatus: (approvalId) => {
          if (signal.aborted) return Promise.reject(signal.reason as Error);
          const status = this.statuses.length > 1 ? this.statuses.shift() : this.statuses[0];
          const blank = {
            grant: null,
            reason: null,
            denialReason: null,
            resolvedBy: null,
            resolvedByName: null,
          };
          return Promise.resolve({ ...blank, approvalId, status: 'pending', ...status } as ApprovalStatus);
        },
        verifyGrant: async () => {
          await this.verify();
          return { sub: 'a', org_id: 'o', ...({} as object) } as Awaited<
            ReturnType<ClearingPorts['client']['verifyGrant']>
          >;
        },
        consumeGrant: async () => {
          this.steps.push('consume');
          await this.consume();
          return {} as Awaited<ReturnType<ClearingPorts['client']['consumeGrant']>>;
        },
      },
    };
  }
}

let system: FakeSystem;
beforeEach(() => (system = new FakeSystem()));
const waits = () => ({ status: 'requested', approvalId: 'apr_1' }) as const;
const refused = (code: string, details?: unknown) => () =>
  Promise.reject(new AgentLatticeError(code, code, { details }));

it('a call that a policy allows is made at once, and nothing is consumed', async () => {
  await clearCall(asked, system.ports());
  expect(system.steps).toEqual(['execute e1']);
  expect(system.kept.size).toBe(0);
});

it('an approved call is made once: its grant is consumed', async () => {
  system.next = waits;
  system.statuses = [{ status: 'approved', grant: 'g' }];
  await clearCall(asked, system.ports());
  expect(system.steps).toEqual(['execute e1', 'consume']);
  expect(system.kept.size).toBe(0);
});

it('the same call, tried again, finds the request that an earlier process left', async () => {
  system.kept.set('call', 'e-old');
  system.next = waits;
  system.statuses = [{ status: 'approved', grant: 'g' }];
  await clearCall(asked, system.ports());
  expect(system.steps).toEqual(['execute e-old', 'consume']);
});

it('an old answer of a policy does not count: it is asked anew', async () => {
  system.kept.set('call', 'e-old');
  system.next = (id) =>
    id === 'e-old' ? { status: 'executed', grant: 'g' } : { status: 'denied', denialReason: 'POLICY_DENIED' };
  await expect(clearCall(asked, system.ports())).rejects.toThrow(
    'denied by the policy p: tool.shell (POLICY_DENIED)',
  );
  expect(system.steps).toEqual(['execute e-old', 'execute e1']);
});

it.each([
  ['is used', refused('GRANT_CONSUMED')],
  ['has expired', refused('GRANT_EXPIRED')],
])('a grant that %s opens nothing: the call is asked for anew', async (_, consume) => {
  system.kept.set('call', 'e-old');
  system.next = (id) => (id === 'e-old' ? waits() : { status: 'policy_not_found' });
  system.statuses = [{ status: 'approved', grant: 'g' }];
  system.consume = consume;
  await expect(clearCall(asked, system.ports())).rejects.toThrow('no policy matches tool.shell');
  expect(system.steps).toEqual(['execute e-old', 'consume', 'execute e1']);
});

it('a grant that has run out by this clock is not used', async () => {
  system.next = (id) => (id === 'e1' ? waits() : { status: 'policy_not_found' });
  system.statuses = [{ status: 'approved', grant: 'g' }];
  system.verify = refused('GRANT_INVALID', 'the grant has run out; ask anew');
  await expect(clearCall(asked, system.ports())).rejects.toThrow('no policy');
  expect(system.steps).toEqual(['execute e1', 'execute e2']);
});

it.each(['AGENT_SUSPENDED', 'POLICY_DENIED', 'ACTION_MISMATCH', 'NETWORK_ERROR', 'UNAVAILABLE', 'NOT_FOUND'])(
  '%s when the grant is consumed blocks the call, and the request is kept',
  async (code) => {
    system.next = waits;
    system.statuses = [{ status: 'approved', grant: 'g' }];
    system.consume = refused(code);
    await expect(clearCall(asked, system.ports())).rejects.toThrow(code);
    expect(system.kept.get('call')).toBe('e1');
  },
);

it.each([
  ['a forged grant', 'GRANT_INVALID'],
  ['keys that cannot be fetched', 'NETWORK_ERROR'],
])('%s blocks, and nothing is consumed', async (_, code) => {
  system.next = waits;
  system.statuses = [{ status: 'approved', grant: 'g' }];
  system.verify = refused(code, 'the signature of the grant is wrong');
  await expect(clearCall(asked, system.ports())).rejects.toThrow(code);
  expect(system.steps).not.toContain('consume');
});

it.each([
  { status: 'executed', grant: null } as const,
  { status: 'requested', approvalId: 'apr_1' } as const,
])('a yes without a grant is none: %j', async (answer) => {
  system.next = () => answer;
  system.statuses = [{ status: 'approved', grant: null }];
  await expect(clearCall(asked, system.ports())).rejects.toThrow(/grant/);
  expect(system.steps).toEqual(['execute e1']);
});

it('a denial says who and why, and the next identical call asks anew', async () => {
  system.next = waits;
  system.statuses = [
    {
      status: 'denied',
      resolvedBy: 'mbr_1',
      resolvedByName: 'Ada\u0007',
      reason: 'no',
      denialReason: 'DENIED_BY_REVIEWER',
    },
  ];
  await expect(clearCall(asked, system.ports())).rejects.toThrow(
    'denied by Ada\\x07: no (DENIED_BY_REVIEWER), request apr_1',
  );
  expect(system.kept.size).toBe(0);
});

it('when its time is over it names the request and the link, and keeps it for the next try', async () => {
  system.next = waits;
  const end = new AbortController();
  const waiting = clearCall(asked, {
    ...system.ports(end.signal),
    client: {
      ...system.ports(end.signal).client,
      approvalStatus: () => {
        end.abort(new Error('over'));
        return Promise.reject(new Error('over'));
      },
    },
  });
  await expect(waiting).rejects.toThrow(
    /approval apr_1 of a person: http:\/\/h\/approvals\/apr_1 \. Run exactly the same call again/,
  );
  await expect(waiting).rejects.toBeInstanceOf(Blocked);
  expect(system.kept.get('call')).toBe('e1');
});
