import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { AgentLattice, ApprovalDeniedError, ApprovalTimeoutError, verifyGrant } from '@agentlattice/sdk';
import { eventually, joinSharedStack, type SharedStack } from '@agentlattice/testkit';
import { adminOf, type Api } from './kit/api.js';

describe('the TypeScript SDK on a live system', () => {
  let stack: SharedStack;
  let admin: Api;
  let al: AgentLattice;
  let operator: AgentLattice;

  beforeAll(async () => {
    stack = await joinSharedStack();
    admin = adminOf(stack);
    const { baseUrl, credentials } = stack;
    al = new AgentLattice({ apiKey: credentials.agent.api_key, baseUrl });
    operator = new AgentLattice({ apiKey: credentials.admin.api_key, baseUrl });
    await admin.policy({ name: 'exports', action_type: 'db.export', effect: 'allow' });
    await admin.policy({ name: 'no drops', action_type: 'db.drop', effect: 'deny' });
    await admin.policy({ name: 'hasty', action_type: 'hasty', effect: 'require_approval', timeout: '2s' });
  });
  afterAll(() => stack.leave());

  const pending = async (actionType: string) => {
    let id = '';
    await eventually(async () => {
      const [first] = await operator.listPendingApprovals({ actionType });
      id = first?.id ?? '';
      return id !== '';
    });
    return id;
  };

  it('passes a gate at once when a policy allows, with a grant that can be verified offline', async () => {
    const metadata = { table: 'orders', schön: [1.5, null, { a: 'ü' }] };
    const dataAccessed = [{ type: 'pii', count: 5 }];
    const cleared = await al.gate('db.export', { metadata, dataAccessed });
    expect(cleared).toMatchObject({ status: 'executed', policyName: 'exports', approvalId: null });
    const { keys } = (await (await fetch(`${stack.baseUrl}/.well-known/jwks.json`)).json()) as {
      keys: never[];
    };
    const action = { actionType: 'db.export', metadata, dataAccessed };
    await expect(verifyGrant(cleared.grant, keys, action)).resolves.toMatchObject({
      sub: stack.credentials.agent.id,
    });
    await expect(verifyGrant(cleared.grant, keys, { ...action, metadata: {} })).rejects.toMatchObject({
      code: 'GRANT_INVALID',
    });
  });

  it('waits for a person, runs the function, and reports its outcome', async () => {
    const requested: string[] = [];
    const done = al.gate(
      'deploy.production',
      { metadata: { service: 'api' }, onRequested: ({ approvalId }) => requested.push(approvalId) },
      ({ auditEventId, resolvedBy }) => ({ auditEventId, resolvedBy }),
    );
    const id = await pending('deploy.production');
    await expect(operator.approveAction(id, { reason: 'reviewed' })).resolves.toMatchObject({
      status: 'approved',
    });
    const { auditEventId, resolvedBy } = await done;
    expect(requested).toEqual([id]);
    expect(resolvedBy).toMatch(/^mbr_/);
    await eventually(async () => {
      const { events } = await operator.audit({ type: 'action.reported' });
      return events.length > 0;
    });
    expect(auditEventId).toMatch(/^evt_/);
  });

  it('gets the decision from a held submission without reading the status', async () => {
    const done = al.gate('deploy.production', { metadata: { service: 'web' } });
    await operator.approveAction(await pending('deploy.production'), { reason: 'reviewed' });
    await expect(done).resolves.toMatchObject({
      ...{ status: 'executed', policyName: 'production-deploys', reason: 'reviewed' },
      ...{ resolvedBy: expect.stringMatching(/^mbr_/) as string, resolvedByName: 'Administrator' },
    });
  });

  it('names the person and the reason of a denial', async () => {
    const done = al
      .gate('deploy.production', { metadata: { service: 'db' } })
      .catch((caught: unknown) => caught);
    const id = await pending('deploy.production');
    await operator.denyAction(id, { reason: 'not today' });
    const error: unknown = await done;
    expect(error).toBeInstanceOf(ApprovalDeniedError);
    expect(error).toMatchObject({ approvalId: id, reason: 'DENIED_BY_REVIEWER', comment: 'not today' });
  });

  it('does not run a function that a policy denies', async () => {
    let ran = false;
    await expect(al.gate('db.drop', () => (ran = true))).rejects.toMatchObject({
      code: 'ACTION_DENIED',
      reason: 'POLICY_DENIED',
    });
    expect(ran).toBe(false);
  });

  it('ends with a time-out when no person decides, and withdraws a request that its own limit ended', async () => {
    await expect(al.gate('hasty')).rejects.toBeInstanceOf(ApprovalTimeoutError);
    const error: unknown = await al
      .gate('deploy.production', { timeoutMs: 500 })
      .catch((caught: unknown) => caught);
    expect(error).toMatchObject({ code: 'APPROVAL_TIMEOUT', gaveUp: true });
    const { approvalId } = error as ApprovalTimeoutError;
    await expect(operator.getApproval(approvalId ?? '')).resolves.toMatchObject({ status: 'cancelled' });
  });

  it('withdraws its request when the program ends it', async () => {
    const controller = new AbortController();
    const done = al.gate('deploy.production', { signal: controller.signal, metadata: { service: 'late' } });
    const refused = expect(done).rejects.toThrow('enough');
    const id = await pending('deploy.production');
    controller.abort(new Error('enough'));
    await refused;
    await expect(operator.getApproval(id)).resolves.toMatchObject({ status: 'cancelled' });
  });

  it('delegates: one child, a chain, several at once, and all of it ends', async () => {
    const options = { capabilities: ['db.*'], ttlSeconds: 60 };
    const outOfScope = { status: 'denied', denialReason: 'DELEGATION_SCOPE' };
    let kept: AgentLattice | undefined;
    await al.delegate('worker', options, async (child) => {
      kept = child;
      await expect(child.execute('db.export')).resolves.toMatchObject({ status: 'executed' });
      await expect(child.execute('deploy.production')).resolves.toMatchObject(outOfScope);
      await expect(child.delegate('wider', { ...options, capabilities: ['*'] })).rejects.toMatchObject({
        code: 'DELEGATION_SCOPE',
      });
      const narrower = { ...options, capabilities: ['db.export'] };
      await child.delegate('helper', narrower, async (helper) => {
        await expect(helper.gate('db.export')).resolves.toMatchObject({ status: 'executed' });
        await expect(helper.execute('db.drop')).resolves.toMatchObject(outOfScope);
      });
    });
    await expect(kept?.execute('db.export')).resolves.toMatchObject(outOfScope);
    const results = await al.parallel(
      [
        { name: 'worker', ...options },
        { name: 'worker', ...options, capabilities: ['mail.send'] },
      ],
      (agents) => Promise.all(agents.map((agent) => agent.execute('db.export'))),
    );
    expect(results).toMatchObject([{ status: 'executed' }, outOfScope]);

    const { id, agent } = await al.delegate('worker', options);
    const { delegations } = await al.delegations({ role: 'parent', activeOnly: true });
    expect(delegations).toMatchObject([{ id, active: true, parentConfigId: stack.credentials.agent.id }]);
    await expect(agent.whoami()).resolves.toMatchObject({ delegations: { asChild: [{ id }] } });
    await expect(al.revoke(id)).resolves.toEqual({ revoked: true, delegationId: id });
    await expect(agent.execute('db.export')).resolves.toMatchObject(outOfScope);
  });

  it('reads its own principal, its policies and the log', async () => {
    await expect(al.whoami()).resolves.toMatchObject({
      name: stack.credentials.agent.name,
      cbState: 'closed',
    });
    await expect(al.policies({ scope: 'org' })).resolves.toMatchObject({ scope: 'org' });
    await expect(al.canI('deploy.production')).resolves.toMatchObject({
      allowed: false,
      needsApproval: true,
    });
    await expect(al.verify()).resolves.toMatchObject({ chainValid: true });
    await expect(al.posture()).resolves.toHaveProperty('score');
    const { client, agent } = await AgentLattice.register(stack.credentials.service_key, {
      ...{ name: 'sdk-made', baseUrl: stack.baseUrl },
    });
    await expect(client.whoami()).resolves.toMatchObject({ configId: agent.id, name: 'sdk-made' });
  });

  describe('its page', () => {
    it('has only snippets that run', async () => {
      const page = await readFile(
        fileURLToPath(new URL('../docs/clients/typescript.md', import.meta.url)),
        'utf8',
      );
      const snippets = [...page.matchAll(/```ts\n(.*?)```/gs)].map(([, text = '']) => text);
      expect(snippets.length).toBeGreaterThanOrEqual(7);
      process.env['AL_API_KEY'] = stack.credentials.agent.api_key;
      process.env['AL_OPERATOR_KEY'] = stack.credentials.admin.api_key;
      process.env['AL_BASE_URL'] = stack.baseUrl;
      const sdk = await import('@agentlattice/sdk');
      const logged: unknown[] = [];
      let stopped = false;
      // A person approves the waiting requests, except two that a snippet decides.
      const approving = (async () => {
        while (!stopped) {
          for (const { id, metadata } of await operator.listPendingApprovals())
            if (metadata['left'] !== true) await operator.approveAction(id).catch(() => undefined);
          await new Promise((resolve) => setTimeout(resolve, 100));
        }
      })();
      for (const snippet of snippets) {
        if (snippet.includes('listPendingApprovals'))
          for (const n of [1, 2]) await al.execute('deploy.production', { metadata: { left: true, n } });
        // A page is read from top to bottom: what it imported and made is there.
        const body = snippet.replaceAll(/^import .*$/gm, '').replaceAll(/\bconst al = /g, 'al = ');
        const AsyncFunction = (async () => {}).constructor as new (
          ...args: string[]
        ) => (...args: unknown[]) => Promise<void>;
        const names = ['al', 'deploy', 'console', ...Object.keys(sdk)];
        const log = (...words: unknown[]) => logged.push(words.join(' '));
        const values = [al, () => Promise.resolve(logged.push('deployed')), { log }, ...Object.values(sdk)];
        await new AsyncFunction(...names, body)(...values);
      }
      stopped = true;
      await approving;
      expect(logged).toContain('deployed');
      expect(logged).toContainEqual(expect.stringMatching(/^pending_approval apr_/));
      expect(logged).toContain('Will need approval under policy: production-deploys');
    });
  });
});
