import { createRemoteJWKSet, jwtVerify } from 'jose';
import { eventually, type Stack, startStack } from '@agentlattice/testkit';
import { adminOf, agentOf, type Answer, type Api } from './kit/api.js';
import { readLog } from './kit/log.js';
import { addAgent, addPerson, type Person } from './kit/people.js';

describe('requests that wait for a person', () => {
  let stack: Stack;
  let admin: Api;
  let agent: Api;
  let member: Person;
  let releaser: Person;

  beforeAll(async () => {
    stack = await startStack();
    await stack.startServices();
    admin = adminOf(stack);
    agent = agentOf(stack);
    member = await addPerson(admin, { name: 'mia', role: 'member' });
    releaser = await addPerson(admin, { name: 'rob', role: 'member', groups: ['release'] });
    await admin.policy({
      name: 'four eyes',
      action_type: 'four.eyes',
      effect: 'require_approval',
      approvals_required: 2,
      approver_groups: [{ group: 'release', count: 1 }],
    });
  });
  afterAll(() => stack.stop());

  async function requested(actionType = 'deploy.production', by = agent): Promise<string> {
    const { status, body, text } = await by.submit(actionType, { service: 'api' });
    if (status !== 202) throw new Error(text);
    return String(body['approval_id']);
  }
  const decide = (id: string, how: 'approve' | 'deny', by: Api = admin, body: object = {}) =>
    by.post(`/api/v1/approvals/${id}/${how}`, body);
  const held = (id: string, seconds = 60, by = agent): Promise<Answer> =>
    by.call('GET', `/api/v1/approvals/${id}/status`, { headers: { prefer: `wait=${String(seconds)}` } });
  const logged = async (id: string) =>
    (await readLog(admin)).filter((entry) => entry.approval_id === id).map(({ type }) => type);

  describe('one decision', () => {
    it('is made out of fifty at once; the others get the one that was made', async () => {
      const id = await requested();
      const answers = await Promise.all(
        Array.from({ length: 50 }, (_, i) =>
          decide(id, i % 2 === 0 ? 'approve' : 'deny', i % 3 === 0 ? member.api : admin),
        ),
      );
      const won = answers.filter(({ status }) => status === 200);
      expect(won).toHaveLength(1);
      const standing = won[0]?.body ?? {};
      for (const { status, body } of answers.filter((answer) => answer !== won[0]))
        expect({ status, body }).toMatchObject({
          status: 409,
          body: {
            error: 'APPROVAL_ALREADY_DECIDED',
            decision: { status: standing['status'], resolved_by: standing['resolved_by'] },
          },
        });
      await eventually(async () => (await logged(id)).length >= 3);
      expect((await logged(id)).slice(0, 2)).toEqual(['action.requested', 'approval.opened']);
      expect(await logged(id)).toHaveLength(3);
    });

    it('needs the number of people and the groups that the policy names', async () => {
      const id = await requested('four.eyes');
      expect(await decide(id, 'approve', member.api)).toMatchObject({
        status: 403,
        body: { error: 'FORBIDDEN' },
      });
      expect(await decide(id, 'approve', releaser.api)).toMatchObject({
        status: 200,
        body: { status: 'pending', approvals: { have: 1, need: 2 }, denials: { have: 0, need: 1 } },
      });
      expect(await decide(id, 'approve', releaser.api)).toMatchObject({
        status: 409,
        body: { error: 'ALREADY_VOTED' },
      });
      expect((await releaser.api.call('DELETE', `/api/v1/approvals/${id}/vote`)).body).toMatchObject({
        status: 'pending',
        approvals: { have: 0, need: 2 },
      });
      expect(await decide(id, 'deny', releaser.api, { reason: 'no' })).toMatchObject({
        status: 200,
        body: { status: 'denied', denial_reason: 'DENIED_BY_REVIEWER' },
      });
    });

    it('is refused in the order 404, 403, 409', async () => {
      const id = await requested();
      const unknown = 'apr_01jd7e5sqcfnmrq9yh4qvxw2k3';
      await decide(id, 'approve');
      for (const how of ['approve', 'deny'] as const) {
        expect((await decide(unknown, how, agent)).status).toBe(404);
        expect((await decide('nonsense', how)).status).toBe(404);
        expect(await decide(id, how, agent)).toMatchObject({ status: 403, body: { error: 'SELF_APPROVAL' } });
        expect(await decide(id, how, member.api)).toMatchObject({
          status: 409,
          body: { error: 'APPROVAL_ALREADY_DECIDED' },
        });
      }
    });

    it('needs no body without a reason, and names the faults of a body', async () => {
      const id = await requested();
      expect(
        await decide(id, 'approve', admin, { scope: 'sometimes', policy_version: 0, comment: 'x' }),
      ).toMatchObject({
        status: 400,
        body: { error: 'VALIDATION_FAILED' },
      });
      expect(await decide(id, 'approve', admin, { forever_for: 'policy' })).toMatchObject({
        status: 400,
        body: { errors: [{ pointer: '/forever_for' }] },
      });
      expect((await admin.call('POST', `/api/v1/approvals/${id}/approve`)).status).toBe(200);
    });

    it('covers every member that the agent sent, also members that JavaScript hides', async () => {
      const asked = await agent.call('POST', '/api/v1/actions', {
        raw: '{"action_type":"deploy.production","metadata":{"service":"api","__proto__":{"delete":"db"}},"data_accessed":[{"__proto__":"x"}]}',
      });
      const id = String(asked.body['approval_id']);
      for (const path of [
        `/api/v1/approvals/${id}`,
        '/api/v1/approvals?status=pending&limit=200',
        `/api/v1/audit?approval_id=${id}`,
      ]) {
        const shown = () => admin.get(path);
        await eventually(async () => (await shown()).text.includes('"__proto__":{"delete":"db"}'));
        expect((await shown()).text).toContain('"__proto__":"x"');
      }
      await decide(id, 'deny');
    });

    it('forever is refused when the policy no longer has the version that the operator saw', async () => {
      const policy = await admin.policy({ name: 'moves', action_type: 'moves', effect: 'require_approval' });
      const id = await requested('moves');
      await admin.call('PATCH', `/api/v1/policies/${policy}`, { body: { timeout: '2h' } });
      await eventually(async () => {
        const { body } = await admin.get(`/api/v1/approvals/${id}`);
        return (body['policy'] as { version: number }).version === 2;
      });
      const forever = (policy_version: number) =>
        decide(id, 'approve', admin, { scope: 'forever', policy_version });
      expect(await forever(1)).toMatchObject({ status: 409, body: { error: 'POLICY_CHANGED' } });
      expect((await held(id, 0)).body).toMatchObject({ status: 'pending' });
      expect(await forever(2)).toMatchObject({ status: 200, body: { policy_change: { changed: true } } });
    });

    it('forever may apply to one action type below a wildcard', async () => {
      await admin.policy({ name: 'all of it', action_type: 'wild.*', effect: 'require_approval' });
      const id = await requested('wild.one');
      expect(
        await decide(id, 'approve', admin, { scope: 'forever', forever_for: 'action_type' }),
      ).toMatchObject({ status: 200, body: { policy_change: { changed: true } } });
      await eventually(async () => (await agent.submit('wild.one')).status === 200);
      expect((await agent.submit('wild.two')).status).toBe(202);
    });

    it('records the client that it came through', async () => {
      const id = await requested();
      await member.api.call('POST', `/api/v1/approvals/${id}/deny`, {
        headers: { 'user-agent': 'agentlattice-cli/0.1.0' },
      });
      const { body } = await admin.get(`/api/v1/approvals/${id}`);
      expect(body['history']).toContainEqual(
        expect.objectContaining({
          type: 'approval.denied',
          operator: { id: member.id, name: 'mia', via: 'cli' },
        }),
      );
    });
  });

  describe('a grant', () => {
    it('comes with every approval, names the payload, is the same at each reading, and verifies against the keys', async () => {
      const id = await requested();
      await decide(id, 'approve');
      const [first, second] = [await held(id), await held(id, 0)];
      const grant = String(first.body['grant']);
      expect(second.body['grant']).toBe(grant);
      const keys = createRemoteJWKSet(new URL(`${stack.baseUrl}/.well-known/jwks.json`));
      const { payload, protectedHeader } = await jwtVerify(grant, keys);
      const { body } = await admin.get(`/api/v1/approvals/${id}`);
      expect(payload).toMatchObject({
        sub: stack.credentials.agent.id,
        org_id: stack.credentials.org_id,
        approval_id: id,
        event_id: body['audit_event_id'],
        action_type: 'deploy.production',
        action_digest: body['action_digest'],
      });
      expect(Number(payload.exp) - Number(payload.iat)).toBe(15 * 60);
      const { body: jwks } = await admin.get('/.well-known/jwks.json');
      const kids = (jwks['keys'] as { kid: string }[]).map(({ kid }) => kid);
      expect(kids).toHaveLength(2);
      expect(kids).toContain(protectedHeader.kid);
    });

    it('is not shown to viewers, and does not exist for denied requests', async () => {
      const viewer = await addPerson(admin, { name: 'vic', role: 'viewer' });
      const [approved, denied] = await Promise.all([requested(), requested()]);
      await decide(approved, 'approve');
      await decide(denied, 'deny');
      expect((await held(approved, 0, viewer.api)).body).toMatchObject({ status: 'approved', grant: null });
      expect((await held(denied, 0)).body).toMatchObject({ status: 'denied', grant: null });
    });
  });

  describe('an agent that changes while it waits', () => {
    it('may not act once it is suspended, also when its request is approved', async () => {
      const other = await addAgent(admin, 'suspect');
      const id = await requested('deploy.production', other.api);
      const waiting = held(id, 60, other.api);
      const submitted = other.api.call('POST', '/api/v1/actions', {
        body: { action_type: 'deploy.production', metadata: { suspect: true } },
        headers: { prefer: 'wait=60, grant' },
      });
      const second = await eventually(async () => {
        const { body } = await other.api.get('/api/v1/approvals?status=pending');
        return (body['approvals'] as { id: string; metadata: object }[]).find(
          ({ metadata }) => 'suspect' in metadata,
        )?.id;
      });
      expect((await admin.post(`/api/v1/agents/${other.id}/suspend`, {})).status).toBe(200);
      await Promise.all([decide(id, 'approve'), decide(second, 'approve')]);
      expect((await waiting).body).toMatchObject({
        status: 'denied',
        denial_reason: 'AGENT_SUSPENDED',
        grant: null,
      });
      expect((await submitted).body).toMatchObject({ status: 'denied', denial_reason: 'AGENT_SUSPENDED' });
      expect((await submitted).body).not.toHaveProperty('grant');
      await admin.post(`/api/v1/agents/${other.id}/resume`, {});
      await eventually(async () => (await held(id, 0, other.api)).body['grant'] !== null);
    });

    it('gets no answer once its key is revoked', async () => {
      const { id: agentId } = stack.credentials.agent;
      const made = await admin.post('/api/v1/keys', { name: 'brief', kind: 'agent', agent_id: agentId });
      const id = await requested();
      const waiting = held(id, 60, admin.as(String(made.body['key'])));
      await held(id, 0);
      expect((await admin.call('DELETE', `/api/v1/keys/${String(made.body['id'])}`)).status).toBe(200);
      await decide(id, 'approve');
      expect(await waiting).toMatchObject({ status: 401, body: { error: 'UNAUTHENTICATED' } });
    });
  });

  describe('waiting', () => {
    it('ends with the decision for any number of callers', async () => {
      const id = await requested();
      const waiting = [held(id), held(id), held(id, 60, admin)];
      await decide(id, 'approve');
      for (const answer of await Promise.all(waiting))
        expect(answer.body).toMatchObject({ status: 'approved' });
    });

    it('ends when its time is over, and the answer names the applied preference', async () => {
      const id = await requested();
      const answer = await held(id, 1);
      expect(answer).toMatchObject({ status: 200, body: { status: 'pending' } });
      expect(answer.headers.get('preference-applied')).toBe('wait=1');
      const submitted = await agent.call('POST', '/api/v1/actions', {
        body: { action_type: 'deploy.production' },
        headers: { prefer: 'wait=1, grant' },
      });
      expect(submitted).toMatchObject({ status: 202, body: { status: 'requested' } });
      expect(submitted.headers.get('preference-applied')).toBe('wait=1, grant');
    });

    it('a repeated submission joins the first one’s request', async () => {
      const submit = () =>
        agent.call('POST', '/api/v1/actions', {
          body: { action_type: 'deploy.production', metadata: { joined: true } },
          headers: { prefer: 'wait=60', 'x-al-event-id': 'joined-1' },
        });
      const first = submit();
      const id = await eventually(async () => {
        const { body } = await admin.get('/api/v1/approvals?status=pending&limit=200');
        const found = (body['approvals'] as { id: string; metadata: object }[]).filter(
          ({ metadata }) => 'joined' in metadata,
        );
        return found[0]?.id;
      });
      const second = submit();
      await decide(id, 'deny', admin, { reason: 'not now' });
      for (const answer of await Promise.all([first, second]))
        expect(answer).toMatchObject({
          status: 200,
          body: {
            status: 'denied',
            denial_reason: 'DENIED_BY_REVIEWER',
            reason: 'not now',
            approval_id: id,
          },
        });
      // Without waiting it is the first answer again, which contains no decision.
      const again = await agent.submit('deploy.production', { joined: true }, 'joined-1');
      expect(again).toMatchObject({ status: 202, body: { status: 'requested', approval_id: id } });
    });

    it('is for the agent that asked and for operators', async () => {
      const other = await addAgent(admin, 'neighbour');
      expect((await held(await requested(), 60, other.api)).status).toBe(404);
    });

    it('goes on after the approval-service, or NATS, was killed', async () => {
      for (const victim of ['approval-service', 'nats']) {
        const id = await requested();
        const waiting = held(id);
        // Answered one after another after it, so the waiting one has been read.
        for (let reads = 0; reads < 5; reads++) await held(id, 0);
        stack.kill(victim);
        await stack.ready(victim);
        await eventually(async () => (await decide(id, 'approve')).status !== 503);
        expect((await waiting).body).toMatchObject({ status: 'approved' });
      }
    });

    it('and requests under way are answered when the gateway stops', async () => {
      const stopped = stack.pid('gateway');
      // Their connections are open already.
      await Promise.all(Array.from({ length: 40 }, () => admin.get('/healthz')));
      const under = Array.from({ length: 40 }, () => agent.submit('deploy.production', { draining: true }));
      // The first answer is there, so all have arrived; most are still under way.
      await Promise.race(under);
      stack.kill('gateway', 'SIGTERM');
      for (const { status } of await Promise.all(under)) expect(status).toBe(202);
      await eventually(() => stack.pid('gateway') !== stopped);
      await stack.ready('gateway');
      await eventually(async () => (await admin.get('/readyz')).status === 200);
    });

    it('ends at once when the gateway stops, with the present state', async () => {
      const id = await requested();
      const waiting = held(id);
      // The next request is answered, so the waiting one is there.
      await held(id, 0);
      const stopped = stack.pid('gateway');
      stack.kill('gateway', 'SIGTERM');
      const { status, body } = await waiting;
      expect({ status, body }).toMatchObject({ status: 200, body: { status: 'pending' } });
      await eventually(() => stack.pid('gateway') !== stopped);
      await stack.ready('gateway');
      await eventually(async () => (await admin.get('/readyz')).status === 200);
    });
  });

  describe('cancelling', () => {
    it('is for the agent that asked, once, and denies', async () => {
      const id = await requested();
      const other = await addAgent(admin, 'stranger');
      const cancel = (by: Api) => by.post(`/api/v1/approvals/${id}/cancel`, { reason: 'not needed' });
      expect((await cancel(other.api)).status).toBe(404);
      expect((await cancel(admin)).status).toBe(403);
      const waiting = held(id);
      expect(await cancel(agent)).toMatchObject({
        status: 200,
        body: { status: 'denied', reason: 'cancelled', denial_reason: 'CANCELLED' },
      });
      expect((await waiting).body).toMatchObject({ status: 'denied', reason: 'cancelled' });
      expect(await cancel(agent)).toMatchObject({ status: 409, body: { error: 'APPROVAL_ALREADY_DECIDED' } });
      expect((await admin.get(`/api/v1/approvals/${id}`)).body).toMatchObject({ status: 'cancelled' });
      await eventually(async () => (await logged(id)).includes('approval.cancelled'));
    });
  });

  describe('the queue', () => {
    it('is read page by page, by deadline, and filtered', async () => {
      await admin.policy({
        name: 'queue',
        action_type: 'queue.*',
        effect: 'require_approval',
        timeout: '3h',
      });
      const ids: string[] = [];
      for (const type of ['queue.a', 'queue.b', 'queue.a']) ids.push(await requested(type));
      const [first, , third] = ids;
      const page = async (query: string) => {
        const { body } = await admin.get(`/api/v1/approvals?status=pending&${query}`);
        return {
          ids: (body['approvals'] as { id: string }[]).map(({ id }) => id),
          next: body['next_cursor'] as string | null,
        };
      };
      const one = await page('action_type=queue.a&limit=1');
      expect(one.ids).toEqual([first]);
      expect(
        await page(`action_type=queue.a&limit=1&cursor=${encodeURIComponent(String(one.next))}`),
      ).toEqual({
        ids: [third],
        next: null,
      });
      const policy = String(
        ((await admin.get(`/api/v1/approvals/${String(first)}`)).body['policy'] as { id: string }).id,
      );
      expect((await page(`policy_id=${policy}`)).ids).toEqual(ids);
      expect((await page('agent_id=agt_01jd7e5sqcfnmrq9yh4qvxw2k3')).ids).toEqual([]);
      expect((await admin.get('/api/v1/approvals?status=open')).status).toBe(400);
      expect((await admin.get('/api/v1/approvals?cursor=nonsense')).status).toBe(400);
    });
  });
});
