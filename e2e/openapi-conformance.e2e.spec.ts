import { openApiDocument, type Route, routeList, routes } from '@agentlattice/contracts';
import { notRun, type Stack, startStack } from '@agentlattice/testkit';
import { adminOf, type Api } from './kit/api.js';
import { type Fuzzing, Schemathesis } from './kit/schemathesis.js';

/** The gateway behaves as the document describes, checked with requests that a program makes from the document. */
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
  /** Its answer does not end, and schemathesis reads to the end; `live-events.e2e.spec.ts` reads it. */
  const endless: readonly string[] = [routes.liveEvents.id];
  const idsOf = (those: (route: Route) => boolean) =>
    routeList
      .filter((route) => those(route) && ![...endingKeys, ...endless].includes(route.id))
      .map(({ id }) => id);

  async function fuzz(
    who: 'agent' | 'admin',
    fuzzing: Omit<Fuzzing, 'document' | 'key'>,
    described = document,
  ) {
    return schemathesis?.fuzz({ document: described, key: stack.credentials[who].api_key, ...fuzzing });
  }
  /** Every operation was tried, and no answer differed from the document. */
  async function isRight(who: 'agent' | 'admin', operations: readonly string[], phases: string) {
    const found = await fuzz(who, { operations, phases });
    if (found !== undefined) expect(found).toEqual({ tried: operations.length, report: '' });
  }

  it.each<[string, string, string, Parameters<Api['call']>[2], number, string]>([
    ['a method that no route has', 'QUERY', '/api/v1/agents', {}, 405, 'METHOD_NOT_ALLOWED'],
    ['a method of another path', 'DELETE', '/api/v1/policies/check', {}, 405, 'METHOD_NOT_ALLOWED'],
    ['readiness of an unknown scope', 'GET', '/readyz?scope=all', {}, 400, 'VALIDATION_FAILED'],
    [
      'a path without a key that is longer than any identifier',
      'GET',
      `/api/v1/policies/${'x'.repeat(300)}`,
      { key: null },
      401,
      'UNAUTHENTICATED',
    ],
    [
      'a shadow policy, which nothing would evaluate',
      'POST',
      '/api/v1/policies',
      { key: 'admin', body: { name: 'trial', action_type: 'a', effect: 'deny', mode: 'shadow' } },
      400,
      'VALIDATION_FAILED',
    ],
    [
      'a change to a shadow policy',
      'PATCH',
      '/api/v1/policies/pol_1',
      { key: 'admin', body: { mode: 'shadow' } },
      400,
      'VALIDATION_FAILED',
    ],
    [
      'an address of mail that cannot be one',
      'POST',
      '/api/v1/members',
      {
        key: 'admin',
        body: {
          email: `${'x'.repeat(65)}@example.com`,
          name: 'x',
          role: 'viewer',
          password: 'long enough for it',
        },
      },
      400,
      'VALIDATION_FAILED',
    ],
    [
      'no number in a query',
      'GET',
      '/api/v1/audit/entries?from=',
      { key: 'admin' },
      400,
      'VALIDATION_FAILED',
    ],
  ])('%s', async (_what, method, path, { key, ...call } = {}, status, error) => {
    const answer = await adminOf(stack).call(method, path, { ...call, ...(key === null ? { key } : {}) });
    expect(answer).toMatchObject({ status, body: { error } });
    if (status === 405) expect(answer.headers.get('allow')).not.toContain(method);
  });

  it.each([
    ['an agent', 'agent', idsOf(isForAgents)],
    ['an administrator', 'admin', idsOf(isForOperators)],
  ] as const)('is right for %s', (_, who, operations) => isRight(who, operations, 'fuzzing'), 240_000);

  it('is found to be incomplete when it lacks a rule that is checked', async () => {
    const silent = JSON.parse(JSON.stringify(document), (name, value: unknown) =>
      name === 'x-rules' ? undefined : value,
    ) as typeof document;
    const operations = [routes.listAgents.id];
    const found = await fuzz('admin', { operations, phases: 'fuzzing', untilFirstFailure: true }, silent);
    if (found !== undefined) expect(found.report).toContain('refused_by_announced_rules_only');
  }, 120_000);

  it('is right for ending keys', () => isRight('admin', endingKeys, 'coverage,fuzzing'), 120_000);
});
