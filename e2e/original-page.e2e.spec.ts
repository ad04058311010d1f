import { leafHash } from '@agentlattice/ledger';
import { eventually, joinSharedStack, type SharedStack } from '@agentlattice/testkit';
import { adminOf, agentOf, type Api } from './kit/api.js';
import { approvalsOf } from './kit/approvals.js';
import { readLog } from './kit/log.js';
import { addPerson, type Person } from './kit/people.js';

/**
 * The page that this product re-creates, sentence by sentence: each sentence that needs no dashboard, SDK or console is a test named by
 * its content. (Time-outs and changes of policies: original-page-changes; the published client: published-client; the console:
 * libs/cli.)
 */
describe('what the original’s page promises', () => {
  let stack: SharedStack;
  let admin: Api;
  let agent: Api;
  let member: Person;
  let viewer: Person;
  let requests: ReturnType<typeof approvalsOf>;

  beforeAll(async () => {
    stack = await joinSharedStack();
    admin = adminOf(stack);
    agent = agentOf(stack);
    requests = approvalsOf(admin, agent);
    member = await addPerson(admin, { name: 'mia', role: 'member' });
    viewer = await addPerson(admin, { name: 'vic', role: 'viewer' });
    await admin.policy({ name: 'staging', action_type: 'deploy.staging', effect: 'allow' });
    await admin.policy({
      name: 'big deploys',
      action_type: 'deploy.batch',
      effect: 'conditional',
      conditions: [{ field: 'change_count', operator: 'lte', value: 10 }],
    });
  });
  afterAll(() => stack.leave());

  describe('how approvals work', () => {
    it('an action that requires approval is paused until a person decides; low-risk ones are not held up', async () => {
      const id = await requests.requested('deploy.production');
      expect((await requests.statusOf(id)).body).toMatchObject({ status: 'pending', resolved_at: null });
      expect((await agent.submit('deploy.staging')).body).toMatchObject({ status: 'executed' });
      await requests.approve(id);
      expect((await requests.statusOf(id)).body).toMatchObject({ status: 'approved' });
    });

    it('require approval: every action of the type waits, unconditionally', async () => {
      for (const metadata of [{}, { size: 0 }, { size: 10_000, approved: true }])
        expect(await agent.submit('deploy.production', metadata)).toMatchObject({ status: 202 });
    });

    it('conditional: it executes when the conditions pass and asks when they fail', async () => {
      expect(await agent.submit('deploy.batch', { change_count: 3 })).toMatchObject({
        status: 200,
        body: { status: 'executed' },
      });
      expect(await agent.submit('deploy.batch', { change_count: 30 })).toMatchObject({
        status: 202,
        body: {
          status: 'requested',
          conditions_evaluated: [{ field: 'change_count', operator: 'lte', expected: 10, result: false }],
        },
      });
    });

    it('the agent gets the answer that approval is required at once, with an approval id', async () => {
      expect(await agent.submit('deploy.production', { service: 'api', version: '2.1.0' })).toMatchObject({
        status: 202,
        body: {
          status: 'requested',
          verdict: 'pending_approval',
          approval_id: expect.stringMatching(/^apr_/) as string,
        },
      });
    });

    it('an operator approves or denies; the reason is optional', async () => {
      const [a, b, c] = await Promise.all([1, 2, 3].map(() => requests.requested('deploy.production')));
      expect(await requests.approve(String(a))).toMatchObject({
        status: 200,
        body: { status: 'approved', reason: null },
      });
      expect(await requests.approve(String(b), { reason: 'looks safe' })).toMatchObject({
        body: { status: 'approved', reason: 'looks safe' },
      });
      expect(await requests.deny(String(c), { reason: 'window closed' })).toMatchObject({
        status: 200,
        body: { status: 'denied', denial_reason: 'DENIED_BY_REVIEWER', reason: 'window closed' },
      });
    });

    it('the agent is notified of the decision: the call that waits unblocks by itself', async () => {
      const eventId = `wait-${String(Date.now())}`;
      const held = agent.call('POST', '/api/v1/actions', {
        body: { action_type: 'deploy.production', metadata: { held: true } },
        headers: { prefer: 'wait=60', 'x-al-event-id': eventId },
      });
      const id = await eventually(async () => {
        const { body } = await admin.get('/api/v1/approvals?status=pending&limit=200');
        const open = body['approvals'] as { id: string; metadata: { held?: boolean } }[];
        return open.find(({ metadata }) => metadata.held)?.id;
      });
      await requests.approve(id);
      expect(await held).toMatchObject({
        status: 200,
        body: { status: 'executed', approval_id: id, grant: expect.any(String) as string },
      });
    });

    it('every step is in the audit trail: who approved, when, and why', async () => {
      const id = await requests.requested('deploy.production', { service: 'api' });
      await requests.approve(id, { reason: 'Reviewed deployment manifest' }, member.api);
      const events = await requests.trail(id, 'approval.approved');
      expect(events.map(({ type }) => type)).toEqual([
        'action.requested',
        'approval.opened',
        'approval.approved',
      ]);
      expect(events.at(-1)).toMatchObject({
        operator: { id: member.id, via: 'api' },
        resolved_by: member.id,
        reason: 'Reviewed deployment manifest',
        timestamp: expect.stringMatching(/Z$/) as string,
      });
    });
  });

  describe('reviewing pending requests', () => {
    it('each shows agent, action type, policy, creation time and time left', async () => {
      const id = await requests.requested('deploy.production', { service: 'billing', version: '3.0.1' });
      const { body } = await admin.get('/api/v1/approvals?status=pending&action_type=deploy.production');
      expect(body['approvals']).toContainEqual(
        expect.objectContaining({
          id,
          agent: { id: stack.credentials.agent.id, name: stack.credentials.agent.name },
          action_type: 'deploy.production',
          policy_name: 'production-deploys',
          created_at: expect.any(String) as string,
          time_left_seconds: expect.any(Number) as number,
          metadata: { service: 'billing', version: '3.0.1' },
        }),
      );
      const { time_left_seconds: left } = (await requests.show(id)) as { time_left_seconds: number };
      expect(left).toBeGreaterThan(29 * 60);
      expect(left).toBeLessThanOrEqual(30 * 60);
    });

    it('approve once: this request goes through, the next one of its type asks again', async () => {
      await requests.asksFor('once.only');
      const id = await requests.requested('once.only');
      expect((await requests.approve(id, { scope: 'once' })).status).toBe(200);
      expect((await requests.statusOf(id)).body).toMatchObject({ status: 'approved' });
      expect((await agent.submit('once.only')).status).toBe(202);
    });

    it('approve forever: the request goes through and the policy asks no more; it needs an administrator', async () => {
      const policy = await requests.asksFor('ever.more');
      const id = await requests.requested('ever.more');
      expect(await requests.approve(id, { scope: 'forever' }, member.api)).toMatchObject({
        status: 403,
        body: { error: 'FORBIDDEN' },
      });
      expect((await requests.statusOf(id)).body).toMatchObject({ status: 'pending' });
      expect(await requests.approve(id, { scope: 'forever', reason: 'always fine' })).toMatchObject({
        status: 200,
        body: { status: 'approved', policy_change: { changed: true, policy_id: policy, policy_version: 2 } },
      });
      expect((await admin.get(`/api/v1/policies/${policy}`)).body).toMatchObject({ effect: 'allow' });
      await eventually(async () => (await agent.submit('ever.more')).body['status'] === 'executed');
    });

    it('deny: the agent gets a structured denial', async () => {
      const id = await requests.requested('deploy.production');
      await requests.deny(id, { reason: 'Deployment window closed' }, member.api);
      expect((await requests.statusOf(id)).body).toMatchObject({
        status: 'denied',
        denial_reason: 'DENIED_BY_REVIEWER',
        reason: 'Deployment window closed',
        resolved_by: member.id,
        resolved_at: expect.any(String) as string,
      });
    });

    it('members and administrators decide; viewers see the queue and cannot act', async () => {
      const [first, second] = await Promise.all([
        requests.requested('deploy.production'),
        requests.requested('deploy.production'),
      ]);
      const seen = await viewer.api.get('/api/v1/approvals?status=pending&limit=200');
      expect(seen.text).toContain(first);
      for (const decide of [requests.approve, requests.deny])
        expect(await decide(first, {}, viewer.api)).toMatchObject({
          status: 403,
          body: { error: 'FORBIDDEN' },
        });
      expect((await requests.statusOf(first)).body).toMatchObject({ status: 'pending' });
      expect((await requests.approve(first, {}, member.api)).status).toBe(200);
      expect((await requests.approve(second, {}, admin)).status).toBe(200);
    });
  });

  describe('the audit trail', () => {
    it.each(['approved', 'denied', 'timed_out'])(
      'of a request that was %s holds action, agent, operator, decision, reasoning, time and policy',
      async (decision) => {
        await requests.asksFor(`trail.${decision}`, decision === 'timed_out' ? { timeout: '1s' } : {});
        const id = await requests.requested(`trail.${decision}`);
        if (decision === 'approved') await requests.approve(id, { reason: 'why' }, member.api);
        if (decision === 'denied') await requests.deny(id, { reason: 'why' }, member.api);
        const byPerson = decision !== 'timed_out';
        expect((await requests.trail(id, `approval.${decision}`)).at(-1)).toMatchObject({
          action_type: `trail.${decision}`,
          agent: { id: stack.credentials.agent.id, name: stack.credentials.agent.name },
          operator: byPerson ? { id: member.id } : null,
          decision,
          reason: byPerson ? 'why' : 'approval_timeout',
          timestamp: expect.stringMatching(/^\d{4}-.*Z$/) as string,
          policy: { name: `trail.${decision}`, version: 1 },
        });
      },
    );

    it('each event holds the hash of the one before, and the whole history can be verified', async () => {
      const entries = await readLog(admin);
      const { text } = await admin.get('/api/v1/audit/entries');
      const lines = text.trimEnd().split('\n');
      expect(entries.length).toBeGreaterThan(10);
      for (const [i, line] of lines.slice(0, -1).entries())
        expect(entries[i + 1]?.prev_hash).toBe(leafHash(Buffer.from(line)).toString('hex'));
      expect((await admin.get('/api/v1/audit/verify?wait=true')).body).toMatchObject({ chain_valid: true });
    });
  });

  describe('asking beforehand', () => {
    it('a dry run gives the verdict and leaves no trace', async () => {
      const before = (await readLog(admin)).length;
      const pending = await requests.queue();
      const check = (type: string) => agent.get(`/api/v1/policies/check?action_type=${type}`);
      expect((await check('deploy.staging')).body).toMatchObject({ allowed: true, needs_approval: false });
      expect((await check('deploy.production')).body).toMatchObject({
        allowed: false,
        needs_approval: true,
        policy_name: 'production-deploys',
      });
      expect(await requests.queue()).toEqual(pending);
      expect(await readLog(admin)).toHaveLength(before);
    });

    it('a pipeline can fail fast where a policy denies outright', async () => {
      await admin.policy({ name: 'never', action_type: 'drop.database', effect: 'deny' });
      await eventually(async () => {
        const { body } = await agent.get('/api/v1/policies/check?action_type=drop.database');
        return (
          body['allowed'] === false && body['needs_approval'] === false && body['policy_name'] === 'never'
        );
      });
    });
  });
});
