import { execFile } from 'node:child_process';
import { copyFile, cp, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { eventually, freePort, notRun, type Stack, startStack } from '@agentlattice/testkit';
import { type ProgramFolder, programFolder } from './kit/agent-frameworks.js';
import { adminOf, type Api } from './kit/api.js';
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
  late: answer(because('(Nobody decided request|time limit is over)')),
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
describe('a tool of an agent framework', () => {
  let stack: Stack;
  let admin: Api;
  let python: PythonEnvironment;
  let folder: ProgramFolder | undefined;
  let env: NodeJS.ProcessEnv;
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
    stack = await startStack();
    await stack.startServices();
    admin = adminOf(stack);
    for (const [tool, effect] of [
      ['refund', 'require_approval'],
      ['slow', 'require_approval'],
      ['lookup', 'allow'],
      ['drop', 'deny'],
    ] as const)
      await admin.policy({ name: tool, action_type: `tool.${tool}`, effect });
    [python, folder] = await installing;
    env = {
      PATH: process.env['PATH'],
      AL_BASE_URL: stack.baseUrl,
      AL_API_KEY: stack.credentials.agent.api_key,
      OPERATOR_KEY: stack.credentials.admin.api_key,
      DEAD_URL: `http://127.0.0.1:${String(await freePort())}`,
      PYTHONDONTWRITEBYTECODE: '1',
    };
    if (folder !== undefined) await cp(programs, folder.path, { recursive: true });
    await Promise.all(frameworks.map(outcomesOf));
  }, patience);
  afterAll(async () => {
    await folder?.remove();
    await python.remove();
    await stack.stop();
  });

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

  describe('the programs of the guides', () => {
    const programIn = async (page: string, language: string) => {
      const text = await readFile(join(root, `docs/clients/${page}.md`), 'utf8');
      const found = [...text.matchAll(new RegExp(`\`\`\`${language}\n([\\s\\S]*?)\`\`\``, 'g'))];
      expect(found).toHaveLength(1);
      return found[0]?.[1] ?? '';
    };
    /** Approves the request about an order once it is there. */
    const approve = (order: string) =>
      eventually(async () => {
        const { body } = await admin.get('/api/v1/approvals?status=pending&limit=200');
        const requests = body['approvals'] as { id: string; metadata: { arguments: { order: string } } }[];
        const found = requests.find(({ metadata }) => metadata.arguments.order === order);
        return (
          found !== undefined &&
          (await admin.post(`/api/v1/approvals/${found.id}/approve`, {})).status === 200
        );
      });

    const orders = { 'ai-sdk': '17', 'openai-agents': '18', langchain: '19' };
    it.each(pages)('%s.md, in TypeScript', async (page) => {
      if (folder === undefined) return;
      const place = join(folder.path, 'guides', page);
      await mkdir(place, { recursive: true });
      await writeFile(join(place, 'program.ts'), await programIn(page, 'ts'));
      await writeFile(
        join(place, 'model.js'),
        `export { documented as model } from '../../${page}.model.mjs';\n`,
      );
      const [printed] = await Promise.all([runs(join(place, 'program.ts')), approve(orders[page])]);
      expect(printed).toBe(`refunded ${orders[page]}\n`);
    });

    it('langchain.md, in Python', async () => {
      const place = join(python.program('..'), 'guide');
      await mkdir(place, { recursive: true });
      await writeFile(join(place, 'program.py'), await programIn('langchain', 'python'));
      await copyFile(join(programs, 'langchain_model.py'), join(place, 'langchain_model.py'));
      await writeFile(join(place, 'model.py'), 'from langchain_model import documented as model\n');
      const [printed] = await Promise.all([runs(join(place, 'program.py')), approve('20')]);
      expect(printed).toBe('refunded 20\n');
    });

    it('and the adapters have the types that the frameworks want', async () => {
      if (folder === undefined) return;
      const models = {
        'ai-sdk': "import type { LanguageModel } from 'ai';\nexport const model: LanguageModel;\n",
        'openai-agents': "import type { Model } from '@openai/agents-core';\nexport const model: Model;\n",
        langchain:
          "import type { BaseChatModel } from '@langchain/core/language_models/chat_models';\nexport const model: BaseChatModel;\n",
      };
      for (const page of pages)
        await writeFile(join(folder.path, 'guides', page, 'model.d.ts'), models[page]);
      await writeFile(
        join(folder.path, 'tsconfig.json'),
        JSON.stringify({
          extends: join(root, 'tsconfig.base.json'),
          compilerOptions: { types: ['node'], typeRoots: [join(root, 'node_modules/@types')] },
          include: ['guides'],
        }),
      );
      const tsc = join(root, 'node_modules/typescript/bin/tsc');
      const { stdout } = await run(process.execPath, [tsc, '-p', folder.path]).catch(
        (error: unknown) => error as { stdout: string },
      );
      expect(stdout).toBe('');
    });
  });
});
