import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { stripTypeScriptTypes } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { freePort, joinSharedStack, notRun, type SharedStack } from '@agentlattice/testkit';
import { type ProgramFolder, programFolder } from './kit/agent-frameworks.js';
import { adminOf, type Api } from './kit/api.js';
import { programIn } from './kit/guide-programs.js';
import { pythonSdkEnvironment } from './kit/python-client.js';
import { toolPolicies } from './kit/tool-policies.js';
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
    await toolPolicies(admin, {
      refund: 'require_approval',
      slow: 'require_approval',
      lookup: 'allow',
      drop: 'deny',
    });
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
});
