import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { eventually, joinSharedStack, type SharedStack } from '@agentlattice/testkit';
import { adminOf, type Api } from './kit/api.js';
import { readAction, runStep } from './kit/github-runner.js';
import { toolPolicies } from './kit/tool-policies.js';

const root = fileURLToPath(new URL('..', import.meta.url));

describe('the GitHub Action', () => {
  let stack: SharedStack;
  let admin: Api;
  const step = (inputs: Readonly<Record<string, string>>, more: NodeJS.ProcessEnv = {}) =>
    runStep(
      { 'api-key': stack.credentials.agent.api_key, 'base-url': stack.baseUrl, ...inputs },
      { SEEN: 'from env', ...more },
    );
  /** Decides the one request of an action type once it is there. */
  const decide = (action: string, verb: 'approve' | 'deny', body: object) =>
    eventually(
      async () => {
        const { body: page } = await admin.get(`/api/v1/approvals?status=pending&action_type=${action}`);
        const [request] = page['approvals'] as { id: string; metadata: object }[];
        if (request === undefined) return undefined;
        expect((await admin.post(`/api/v1/approvals/${request.id}/${verb}`, body)).status).toBe(200);
        return request;
      },
      { within: 60_000 },
    );

  beforeAll(async () => {
    stack = await joinSharedStack();
    admin = adminOf(stack);
    for (const action_type of ['ship.it', 'ship.no'])
      await admin.policy({ name: action_type, action_type, effect: 'require_approval' });
    await toolPolicies(admin, { lookup: 'allow', drop: 'deny' });
  }, 120_000);
  afterAll(() => stack.leave());

  it('hands inputs to its script as environment only, and its guide names them all', async () => {
    const { inputs, outputs, env: variables, scripts } = await readAction();
    expect(scripts).toEqual(['exec node "$GITHUB_ACTION_PATH/gate.mjs"']);
    expect([...variables.values()].sort()).toEqual(
      [...inputs.keys()].map((name) => `\${{ inputs.${name} }}`).sort(),
    );
    const guide = await readFile(join(root, 'docs/clients/github-action.md'), 'utf8');
    for (const name of [...inputs.keys(), ...outputs])
      expect(guide).toMatch(new RegExp(`^\\| \`${name}\` `, 'm'));
  });

  it('runs its command when a person approved, with the grant hidden before it can be printed', async () => {
    const [{ code, log, outputs, summary }, request] = await Promise.all([
      step({ action: 'ship.it', metadata: '{"n":1.50}', command: 'echo "$SEEN"; echo "grant $AL_GRANT"' }),
      decide('ship.it', 'approve', { reason: 'looks good' }),
    ]);
    expect({ code, verdict: outputs['verdict'], id: outputs['approval-id'] }).toEqual({
      ...{ code: 0, verdict: 'approved', id: request.id },
    });
    expect(request.metadata).toMatchObject({ n: 1.5, github: { repository: 'acme/shop', run_id: '7' } });
    const grant = outputs['grant'] ?? '';
    expect(grant.split('.')).toHaveLength(3);
    expect(log).toContain('from env');
    const hidden = log.indexOf(`::add-mask::${grant}`);
    expect(hidden).toBeGreaterThan(log.findIndex((line) => line.startsWith('::stop-commands::')));
    expect(log.findIndex((line) => line.includes(grant))).toBe(hidden);
    expect(log).toContain(`grant ${grant}`);
    expect(summary).toMatch(/approved[^]*Administrator[^]*looks good/);
  });

  it('runs nothing when a person denied, and a reason is neither a command nor markup', async () => {
    const reason = 'no\n::add-mask::a\n::set-output name=verdict::approved\n</code><img src=x>|verdict<<EOF';
    const [{ code, log, outputs, summary }] = await Promise.all([
      step({ action: 'ship.no', command: 'echo ran' }),
      decide('ship.no', 'deny', { reason }),
    ]);
    expect({ code, verdict: outputs['verdict'], grant: outputs['grant'] }).toEqual({
      ...{ code: 1, verdict: 'denied', grant: '' },
    });
    expect(log).not.toContain('ran');
    const stopped = log.findIndex((line) => line.startsWith('::stop-commands::'));
    const token = (log[stopped] ?? '').slice('::stop-commands::'.length);
    const commands = log.filter((line) => line.startsWith('::'));
    expect(
      commands.filter(
        (line) => log.indexOf(line) < stopped || log.indexOf(line) > log.indexOf(`::${token}::`),
      ),
    ).toEqual([]);
    expect(summary).not.toContain('<img');
  });

  it.each([
    ['a policy that lets no person decide in time', { action: 'tool.brief' }, 2, 'timed_out'],
    ['a policy that denies', { action: 'tool.drop' }, 1, 'denied'],
    [
      'a command in the name of the action',
      { action: '$(touch pwned)`touch pwned`"; touch pwned; "' },
      3,
      'failed',
    ],
    ['an option as the name of the action', { action: '--help' }, 1, 'failed'],
    ['metadata that is no object', { action: 'tool.lookup', metadata: '[1]' }, 3, undefined],
    ['a program that says nothing and ends well', { action: 'tool.lookup', cli: 'true' }, 1, 'failed'],
    ['no program', { action: 'tool.lookup', cli: './nowhere' }, 3, 'failed'],
    ['no key', { action: 'tool.lookup', 'api-key': '' }, 3, 'failed'],
  ])('does not go on: %s', async (_case, inputs, code, verdict) => {
    const ended = await step({ ...inputs, command: 'echo ran; touch pwned' });
    expect({ code: ended.code, verdict: ended.outputs['verdict'] }).toEqual({ code, verdict });
    expect(ended.log).not.toContain('ran');
    expect(ended.outputs['grant'] ?? '').toBe('');
  });

  it('passes the exit code of an allowed command on', async () => {
    const { code, outputs } = await step({ action: 'tool.lookup', command: 'exit 7' });
    expect({ code, outputs }).toMatchObject({
      code: 7,
      outputs: { verdict: 'allowed', 'approval-id': '' },
    });
  });
});
