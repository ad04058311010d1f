import { openApiDocument, type Route, routeList, routes } from '@agentlattice/contracts';
import { notRun, type Stack, startStack } from '@agentlattice/testkit';
import { Schemathesis } from './kit/schemathesis.js';

/** What the document says is what the gateway does, tried with requests that a program made from it. */
describe('the OpenAPI document', () => {
  let stack: Stack;
  let schemathesis: Schemathesis | null;

  beforeAll(async () => {
    stack = await startStack();
    [schemathesis] = await Promise.all([
      Schemathesis.install(stack.baseUrl).catch((error: unknown) => {
        notRun(
          `the OpenAPI document against the gateway: schemathesis cannot be installed (${String(error)})`,
        );
        return null;
      }),
      stack.startServices(),
    ]);
  }, 240_000);
  afterAll(async () => {
    await schemathesis?.stop();
    await stack.stop();
  });

  const document = openApiDocument();
  const isForAgents = ({ callers }: Route) => callers !== 'public' && callers.includes('agent');
  const isForOperators = ({ callers }: Route) =>
    callers === 'public' || callers.some((caller) => /^operator|^instance_admin/.test(caller));
  /** They may end the key that is used, so they come last. */
  const endingKeys: readonly string[] = [routes.rotateKey.id, routes.revokeKey.id];
  const idsOf = (those: (route: Route) => boolean) =>
    routeList.filter((route) => those(route) && !endingKeys.includes(route.id)).map(({ id }) => id);

  async function fuzz(
    who: 'agent' | 'admin',
    operations: readonly string[],
    { seconds, ...more }: { seconds: number; document?: unknown; phases?: string },
  ) {
    const { api_key: key } = stack.credentials[who];
    return schemathesis?.fuzz({ document, key, operations, seconds, ...more });
  }
  const nothingFound = { tried: expect.any(Number) as number, report: '' };

  it('is what an agent meets', async () => {
    const found = await fuzz('agent', idsOf(isForAgents), { seconds: 20 });
    if (found !== undefined) expect(found).toEqual(nothingFound);
  }, 180_000);

  it('is what an administrator meets', async () => {
    const found = await fuzz('admin', idsOf(isForOperators), { seconds: 40 });
    if (found !== undefined) expect(found).toEqual(nothingFound);
  }, 240_000);

  it('is found out where it says less than is checked', async () => {
    const silent = JSON.parse(JSON.stringify(document), (name, value: unknown) =>
      name === 'x-rules' ? undefined : value,
    ) as unknown;
    const found = await fuzz('admin', [routes.listAgents.id], {
      document: silent,
      phases: 'fuzzing',
      seconds: 10,
    });
    if (found !== undefined) expect(found.report).toContain('refused_by_announced_rules_only');
  }, 120_000);

  it('is what ending keys does', async () => {
    const found = await fuzz('admin', endingKeys, { seconds: 10 });
    if (found !== undefined) expect(found).toEqual(nothingFound);
  }, 120_000);
});
