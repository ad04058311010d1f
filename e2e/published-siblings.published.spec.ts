import { execFile } from 'node:child_process';
import { copyFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { eventually, joinSharedStack, type SharedStack } from '@agentlattice/testkit';
import { adminOf, type Api } from './kit/api.js';
import { publishedPackages } from './kit/published-client.js';
import { type PythonEnvironment, pythonEnvironment } from './kit/python-environment.js';

const run = promisify(execFile);
const programs = fileURLToPath(new URL('published-client/', import.meta.url));

/** Packages that depend on the published client must work here unchanged as well. */
describe('the published siblings of the Python client, unmodified', () => {
  let stack: SharedStack;
  let admin: Api;
  let python: PythonEnvironment;
  let folder: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'al-siblings-'));
    [python, stack] = await Promise.all([pythonEnvironment(...publishedPackages), joinSharedStack()]);
    admin = adminOf(stack);
  }, 300_000);
  afterAll(async () => {
    await python.remove();
    await stack.leave();
    await rm(folder, { recursive: true, force: true });
  });

  /** A program of the environment, with these variables and no others. */
  const inFolder = (program: string, args: readonly string[], env: Record<string, string> = {}) =>
    run(python.program(program), args, { cwd: folder, env: { PATH: process.env['PATH'], ...env } });

  describe('langchain-agentlattice', () => {
    const call = async (actionType: string, how: 'sync' | 'async'): Promise<unknown> => {
      const { stdout } = await inFolder('python', [join(programs, 'governed_tool.py'), actionType, how], {
        AL_API_KEY: stack.credentials.agent.api_key,
        AL_BASE_URL: stack.baseUrl,
      });
      return JSON.parse(stdout) as unknown;
    };

    beforeAll(async () => {
      await admin.policy({ name: 'search', action_type: 'search.*', effect: 'allow' });
      await admin.policy({ name: 'no drops', action_type: 'drop.*', effect: 'deny' });
      await admin.policy({ name: 'asks', action_type: 'asks.*', effect: 'require_approval' });
    });

    it.each(['sync', 'async'] as const)('a tool that a policy allows runs (%s)', async (how) => {
      expect(await call('search.run', how)).toEqual({ result: 'found orders', ran: 1 });
    });

    it.each([
      ['drop.table', 'AgentLatticeDeniedError', 'ACTION_DENIED'],
      ['nobody.knows', 'AgentLatticeError', 'POLICY_NOT_FOUND'],
    ])('a tool that none allows does not run: %s', async (actionType, error, code) => {
      expect(await call(actionType, 'sync')).toEqual({ error, code, ran: 0 });
    });

    it.each([
      ['approve', { result: 'found orders', ran: 1 }],
      ['deny', { error: 'AgentLatticeDeniedError', code: expect.any(String) as string, ran: 0 }],
    ])('a tool that a person must decide waits: %s', async (verb, wanted) => {
      const waiting = call('asks.run', 'async');
      const id = await eventually(
        async () => {
          const { body } = await admin.get('/api/v1/approvals?status=pending&action_type=asks.run');
          return (body['approvals'] as { id: string }[])[0]?.id;
        },
        { within: 30_000 },
      );
      expect((await admin.post(`/api/v1/approvals/${id}/${verb}`, {})).status).toBe(200);
      expect(await waiting).toEqual(wanted);
    });
  });

  describe('al-instrument', () => {
    it('puts gates into an agent, registers it, and the gates hold', async () => {
      const agent = join(folder, 'agent.py');
      await copyFile(join(programs, 'agent.py'), agent);
      const { stdout, stderr } = await inFolder('al-instrument', [
        ...['agent.py', '--apply', '--register', '--test', '--ci', '--agent-name', 'instrumented'],
        ...['--service-key', stack.credentials.service_key, '--base-url', stack.baseUrl],
      ]);
      expect(stdout + stderr).toContain('VERIFIED: 2/2 action types pass');
      const [, key = ''] =
        /^AL_API_KEY=(al_agent_\S+)$/m.exec(await readFile(join(folder, '.env'), 'utf8')) ?? [];
      const { body } = await admin.as(key).get('/api/v1/whoami');
      expect(body).toMatchObject({ name: 'instrumented', is_active: true });

      // What it writes names no address; who runs the system themselves gives it.
      const text = await readFile(agent, 'utf8');
      const line = 'AgentLattice(api_key=os.getenv("AL_API_KEY"))';
      expect(text).toContain(line);
      await writeFile(agent, text.replace(line, `${line.slice(0, -1)}, base_url="${stack.baseUrl}")`));
      const lines = async () =>
        (await inFolder('python', ['agent.py'], { AL_API_KEY: key })).stdout.trimEnd().split('\n');
      expect(await lines()).toEqual([
        'read_orders: AgentLatticeError POLICY_NOT_FOUND',
        'delete_orders: AgentLatticeError POLICY_NOT_FOUND',
      ]);
      await admin.policy({ name: 'reading', action_type: 'tool.read_orders', effect: 'allow' });
      await admin.policy({ name: 'no deleting', action_type: 'tool.delete_orders', effect: 'deny' });
      expect(await lines()).toEqual(['read orders', 'delete_orders: AgentLatticeDeniedError ACTION_DENIED']);
    });
  });
});
