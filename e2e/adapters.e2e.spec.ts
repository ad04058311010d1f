import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { stripTypeScriptTypes } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { findOnPath } from '@agentlattice/launcher';
import { eventually, freePort, joinSharedStack, notRun, type SharedStack } from '@agentlattice/testkit';
import { type ProgramFolder, programFolder } from './kit/agent-frameworks.js';
import { adminOf, type Api } from './kit/api.js';
import { readAction, runStep } from './kit/github-runner.js';
import { pythonSdkEnvironment } from './kit/python-client.js';
import type { PythonEnvironment } from './kit/python-environment.js';

const run = promisify(execFile);
const root = fileURLToPath(new URL('..', import.meta.url));
const programs = join(root, 'e2e/adapters');
/** For a busy machine and the first installation of the frameworks. */
const patience = 600_000;

type Outcome = { readonly ran: number } & ({ readonly answer: string } | { readonly error: string });
type Outcomes = Readonly<Record<string, Outcome>>;

const pages = ['ai-sdk', 'openai-agents', 'langchain'] as const;
const frameworks = [...pages, 'langchain_agent.py'] as const;
type Framework = (typeof frameworks)[number];

const answer = (text: string | RegExp, ran = 0) => ({ answer: expect.stringMatching(text) as string, ran });
const fault = { error: expect.stringMatching(/cannot be reached/) as string, ran: 0 };
const refused = /^(ToolCallRefused: )?The tool was not run: /.source;
const because = (why: string) => new RegExp(`${refused}.*${why}`);

/** What each scenario must come to, in every framework unless named otherwise. */
const wanted: Readonly<Record<string, Outcome | Partial<Record<Framework, Outcome>>>> = {
  // The program of its guide, as it stands there; its tool is its own.
  guide: answer(/^refunded (17|18|19|20)$/),
  approved: answer(/^refunded /, 1),
  denied: answer(because('DENIED_BY_REVIEWER.* not this customer')),
  // An approval that the client made up, while nobody has decided.
  forged: {
    'ai-sdk': answer(because('nobody has decided request apr_\\w+ yet')),
    'openai-agents': answer(because('nobody has decided request apr_\\w+ yet')),
    langchain: answer(/^interrupted 1$/),
    'langchain_agent.py': answer(/^interrupted 1$/),
  },
  invented: { 'ai-sdk': answer(because('nobody has decided request apr_\\w+ yet')) },
  // The stored state is resumed a second time after the tool has run.
  replayed: answer(because('this call was cleared and used before'), 1),
  // The arguments were changed after the approval.
  changed: {
    'ai-sdk': answer(because('a call with this id was made before, with other arguments')),
    'openai-agents': answer(because('a call with this id was made before, with other arguments')),
  },
  always: { 'openai-agents': answer(because('nobody has decided request apr_\\w+ yet'), 1) },
  forgedThenApproved: { langchain: answer(/^refunded /, 1) },
  parallel: { langchain: answer(/^refunded \S+ \| The tool was not run: .*one is enough/, 1) },
  waits: answer(/^refunded /, 1),
  yields: { 'ai-sdk': answer(/^refunded /, 1) },
  streams: { 'ai-sdk': answer(/^refunded /, 1) },
  synchronous: { 'langchain_agent.py': answer(/^refunded /, 1) },
  late: answer(because('(Nobody decided request|Approval timed out)')),
  unreachable: {
    // This framework gives the model every error of a tool.
    'ai-sdk': answer(/^ConnectionError: .*cannot be reached/),
    'openai-agents': fault,
    langchain: fault,
    'langchain_agent.py': fault,
  },
  unreachablePaused: fault,
  allowed: answer(/^refunded /, 1),
  forbidden: answer(because('POLICY_DENIED')),
};
const wantedOf = (framework: Framework) =>
  Object.entries(wanted).flatMap(([scenario, outcome]) => {
    const one = 'ran' in outcome ? (outcome as Outcome) : outcome[framework];
    return one === undefined ? [] : [[scenario, one] as const];
  });

/** The adapters hold the tools of the real frameworks, which run scripted models, on one system. */
describe('the adapters', () => {
  let stack: SharedStack;
  let admin: Api;
  let python: PythonEnvironment;
  let folder: ProgramFolder | undefined;
  let guides: string;
  let env: NodeJS.ProcessEnv;
  let typeFaults = Promise.resolve('');
  const outcomes: Partial<Record<Framework, Outcomes>> = {};

  beforeAll(async () => {
    const installing = Promise.all([
      pythonSdkEnvironment(),
      programFolder().catch((error: unknown) => {
        notRun(
          `the adapters of the AI SDK, the OpenAI Agents SDK and LangChain (JavaScript): ${String(error)}`,
        );
        return undefined;
      }),
    ]);
    [stack, guides] = [await joinSharedStack(), await mkdtemp(join(tmpdir(), 'al-guides-'))];
    admin = adminOf(stack);
    for (const [tool, effect] of [
      ['refund', 'require_approval'],
      ['slow', 'require_approval'],
      ['lookup', 'allow'],
      ['drop', 'deny'],
    ] as const)
      await admin.policy({ name: tool, action_type: `tool.${tool}`, effect });
    const brief = { name: 'brief', action_type: 'tool.brief', effect: 'require_approval', timeout: '1s' };
    await admin.policy(brief);
    [python, folder] = await installing;
    env = {
      PATH: process.env['PATH'],
      AL_BASE_URL: stack.baseUrl,
      AL_API_KEY: stack.credentials.agent.api_key,
      OPERATOR_KEY: stack.credentials.admin.api_key,
      DEAD_URL: `http://127.0.0.1:${String(await freePort())}`,
      PYTHONDONTWRITEBYTECODE: '1',
      OPENAI_AGENTS_DISABLE_TRACING: '1',
    };
    await Promise.all([writePythonGuide(), folder === undefined ? undefined : writePrograms(folder)]);
    if (folder !== undefined) typeFaults = checkTypes(folder);
    await Promise.all(frameworks.map(outcomesOf));
  }, patience);
  afterAll(async () => {
    await typeFaults;
    await folder?.remove();
    await python.remove();
    await stack.leave();
    await rm(guides, { recursive: true });
  });

  const programIn = async (page: string, language: string) => {
    const text = await readFile(join(root, `docs/clients/${page}.md`), 'utf8');
    const found = [...text.matchAll(new RegExp(`\`\`\`${language}\n([\\s\\S]*?)\`\`\``, 'g'))];
    if (found.length !== 1) throw new Error(`${String(found.length)} programs in ${language} in ${page}.md`);
    return found[0]?.[1] ?? '';
  };

  /** The programs of the scenarios, and those of the guides with a model of the scenarios. */
  async function writePrograms({ path }: ProgramFolder): Promise<void> {
    await cp(programs, path, { recursive: true });
    for (const page of pages) {
      const place = join(path, 'guides', page);
      await mkdir(place, { recursive: true });
      const program = await programIn(page, 'ts');
      await writeFile(join(place, 'program.ts'), program);
      // Node itself runs no TypeScript below node_modules.
      await writeFile(join(place, 'program.js'), stripTypeScriptTypes(program));
      const model = `export { documented as model } from '../../${page}.model.mjs';\n`;
      await writeFile(join(place, 'model.js'), model);
    }
  }

  /** Checks the sources of the adapters and the programs of the guides with the frameworks' own types. @returns what is wrong */
  async function checkTypes({ path }: ProgramFolder): Promise<string> {
    const models = {
      'ai-sdk': "import type { LanguageModel } from 'ai';\nexport const model: LanguageModel;\n",
      'openai-agents': "import type { Model } from '@openai/agents-core';\nexport const model: Model;\n",
      langchain:
        "import type { BaseChatModel } from '@langchain/core/language_models/chat_models';\nexport const model: BaseChatModel;\n",
    };
    for (const page of pages) await writeFile(join(path, 'guides', page, 'model.d.ts'), models[page]);
    const settings = {
      extends: join(root, 'tsconfig.base.json'),
      compilerOptions: { types: ['node'], typeRoots: [join(root, 'node_modules/@types')] },
      include: ['guides'],
    };
    await writeFile(join(path, 'tsconfig.json'), JSON.stringify(settings));
    const tsc = join(root, 'node_modules/typescript-native/bin/tsc');
    return await run(process.execPath, [tsc, '-p', path]).then(
      ({ stdout }) => stdout,
      (error: unknown) => String((error as { stdout?: string }).stdout ?? error),
    );
  }

  async function writePythonGuide(): Promise<void> {
    env['GUIDE'] = join(guides, 'guide.py');
    await writeFile(env['GUIDE'], await programIn('langchain', 'python'));
  }

  /** Runs a program. @returns what it printed */
  async function runs(program: string, variables: NodeJS.ProcessEnv = {}): Promise<string | undefined> {
    const settings = { env: { ...env, ...variables } };
    if (program.endsWith('.py')) return (await run(python.program('python'), [program], settings)).stdout;
    if (folder === undefined) return undefined;
    // The SDK of this repository, as it was built.
    return (await run(process.execPath, ['--conditions=agentlattice-built', program], settings)).stdout;
  }

  async function outcomesOf(framework: Framework): Promise<void> {
    const isPython = framework.endsWith('.py');
    const program = isPython ? join(programs, framework) : join(folder?.path ?? '', `${framework}.mjs`);
    const printed = await runs(program, { PREFIX: framework });
    if (printed === undefined) return;
    // Names of the scenarios as in JavaScript.
    const named = printed.replaceAll(/"unreachable_paused":/g, '"unreachablePaused":');
    outcomes[framework] = JSON.parse(named) as Outcomes;
  }

  describe.each(frameworks)('%s', (framework) => {
    it.each(wantedOf(framework))('%s', (scenario, outcome) => {
      if (outcomes[framework] === undefined) return;
      expect(outcomes[framework][scenario]).toEqual(outcome);
    });

    it('has no other scenario', () => {
      const names = Object.keys(outcomes[framework] ?? {});
      const known = wantedOf(framework).map(([name]) => name);
      expect(names.filter((name) => !known.includes(name))).toEqual([]);
    });

    it('asks once for each call, and uses each grant once', async () => {
      if (outcomes[framework] === undefined) return;
      const { body } = await admin.get('/api/v1/approvals?limit=200');
      const requests = (
        body['approvals'] as { id: string; metadata: { arguments: { order: string } } }[]
      ).filter(({ metadata }) => metadata.arguments.order.startsWith(`${framework}-`));
      const orders = requests.map(({ metadata }) => metadata.arguments.order);
      expect(orders.length).toBeGreaterThan(4);
      expect(orders.toSorted()).toEqual([...new Set(orders)].toSorted());
      const replayed = requests.find(({ metadata }) => metadata.arguments.order === `${framework}-replayed`);
      const { body: shown } = await admin.get(`/api/v1/approvals/${String(replayed?.id)}`);
      const history = (shown['history'] as { type: string }[]).map(({ type }) => type);
      expect(history.filter((type) => type === 'approval.grant_consumed')).toHaveLength(1);
    });
  });

  it('and the programs of their guides have the types that the frameworks want', async () => {
    expect(await typeFaults).toBe('');
  });

  describe('the GitHub Action', () => {
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
      for (const action_type of ['ship.it', 'ship.no'])
        await admin.policy({ name: action_type, action_type, effect: 'require_approval' });
    });

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

    it('and the workflow of its guide are clean by actionlint', async () => {
      const [actionlint] = findOnPath('actionlint');
      if (actionlint === undefined) {
        notRun(
          'actionlint over the GitHub Action: it is not on PATH (go install github.com/rhysd/actionlint/cmd/actionlint@v1.7.12)',
        );
        return;
      }
      const place = await mkdtemp(join(tmpdir(), 'al-workflow-'));
      const workflow = join(place, '.github/workflows/deploy.yml');
      await mkdir(dirname(workflow), { recursive: true });
      // It looks for the root of a repository.
      await mkdir(join(place, '.git'));
      await cp(join(root, 'clients/github-action'), join(place, 'clients/github-action'), {
        recursive: true,
      });
      await writeFile(workflow, await programIn('github-action', 'yaml'));
      const { stdout } = await run(actionlint, [workflow], { cwd: place }).catch(
        (error: unknown) => error as { stdout: string },
      );
      await rm(place, { recursive: true });
      expect(stdout).toBe('');
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
      const reason =
        'no\n::add-mask::a\n::set-output name=verdict::approved\n</code><img src=x>|verdict<<EOF';
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
});
