import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { generateKeyPairSync } from 'node:crypto';
import { grantFor, jwks } from '../test/fake-grants.js';
import { sampleApproval } from '../test/sample-approval.js';
import { runHere } from '../test/fake-terminal.js';

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

let server: Server;
let address: string;
let answers: Answer[];
let seen: { url: string; headers: IncomingMessage['headers']; body: string }[];
beforeEach(async () => {
  answers = [];
  seen = [];
  server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => {
      seen.push({ url: request.url ?? '', headers: request.headers, body });
      // The last answer is given forever.
      const [answer] = answers.length > 1 ? answers.splice(0, 1) : answers;
      answer?.(request, response);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  address = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}/`;
});
afterEach(() => {
  server.closeAllConnections();
  server.close();
});

const al = (...args: string[]) => runHere(args, { env: { AL_API_KEY: 'al_agent_x', AL_BASE_URL: address } });
const json =
  (status: number, body: unknown, headers = {}): Answer =>
  (_, response) => {
    response.writeHead(status, { 'content-type': 'application/json', ...headers });
    response.end(JSON.stringify(body));
  };
const words = { type: 'x', title: 'x', detail: 'it is so', request_id: 'req_1', message: 'it is so' };
const problem = (status: number, error: string, headers = {}, extra = {}) =>
  json(status, { ...words, status, error, ...extra }, headers);
const cut: Answer = (request) => void request.socket.destroy();
const audit_event_id = 'evt_01jd7e5sqcfnmrq9yh4qvxw2k3';
const executedWith = (grant: string | undefined) =>
  json(200, {
    status: 'executed',
    verdict: 'executed',
    policy_name: 'p',
    audit_event_id,
    conditions_evaluated: [],
    ...(grant === undefined ? {} : { grant }),
  });
const executed = executedWith(grantFor(audit_event_id));
const published = json(200, jwks);

it('tries a submission again with the same event id, and says who asks', async () => {
  const cleared = executedWith(grantFor(audit_event_id, { metadata: '{"n":1}' }));
  answers = [problem(503, 'UNAVAILABLE', { 'retry-after': '1' }), cut, cleared, published];
  const { code, said } = await al('gate', 'a.b', '--metadata', '{"n": 1.0}');
  expect(code).toBe(0);
  expect(said).toMatch(
    /does not answer \(HTTP 503\); trying again for 30 s\n(.*\n)*allowed by the policy p: a\.b/,
  );
  expect(seen).toHaveLength(4);
  const ids = new Set(seen.slice(0, 3).map(({ headers }) => headers['x-al-event-id']));
  expect(ids.size).toBe(1);
  expect([...ids][0]).toMatch(/^[0-9a-f-]{36}$/);
  // Unchanged: parsing and writing the JSON again could change its numbers.
  expect(seen[0]?.body).toBe('{"action_type":"a.b","metadata":{"n": 1.0},"data_accessed":[]}');
  expect(seen[0]?.headers).toMatchObject({
    authorization: 'Bearer al_agent_x',
    prefer: 'grant',
    'user-agent': expect.stringMatching(/^agentlattice-cli\/\d/) as string,
  });
});

it.each([
  ['UNAVAILABLE', problem(503, 'UNAVAILABLE'), 4],
  ['INTERNAL', problem(500, 'INTERNAL'), 4],
  ['RATE_LIMITED', problem(429, 'RATE_LIMITED', { 'retry-after': '60' }), 4],
  ['UNAUTHENTICATED', problem(401, 'UNAUTHENTICATED'), 3],
  ['FORBIDDEN', problem(403, 'FORBIDDEN'), 3],
  ['VALIDATION_FAILED', problem(400, 'VALIDATION_FAILED'), 3],
  ['IDEMPOTENCY_KEY_REUSED', problem(422, 'IDEMPOTENCY_KEY_REUSED'), 3],
  ['is not one this version of al knows', json(200, { status: 'executed' }), 4],
  ['is not one this version of al knows', json(200, { status: 'granted', verdict: 'granted' }), 4],
  ['is AL_BASE_URL right?', json(404, 'nginx'), 3],
  ['is AL_BASE_URL right', json(302, {}, { location: 'http://127.0.0.1:1/' }), 4],
  ['cannot be reached', cut, 4],
])('a gate is never open by mistake: %s', async (why, answer, code) => {
  answers = [answer];
  const outcome = await al('gate', 'a.b', '--retry-for', '300ms', '--', 'touch', '/never');
  expect({ code: outcome.code, out: outcome.out }).toEqual({ code, out: '' });
  expect(outcome.said).toContain(why);
});

it.each([
  ['nothing listens there', null],
  ['every connection breaks', cut],
  ['it has no time', problem(503, 'UNAVAILABLE')],
])(
  'a gate that never reached the system ends with 4 when its --timeout ends first: %s',
  async (_, answer) => {
    if (answer === null) server.close();
    else answers = [answer];
    const { code, out } = await al('gate', 'a.b', '--timeout', '200ms', '--json', '--', 'touch', '/never');
    expect(code).toBe(4);
    expect(JSON.parse(out)).toMatchObject({
      status: 'unknown',
      allowed: false,
      stopped: { kind: 'timeout' },
      exit_code: 4,
    });
  },
);

describe('an approval without its grant does not count', () => {
  const stranger = generateKeyPairSync('ed25519').privateKey;
  const grant = (...more: Parameters<typeof grantFor> extends [string, ...infer M] ? M : never) =>
    grantFor(audit_event_id, ...more);
  const [head = '', payload = ''] = grant().split('.');
  it.each([
    ['the answer carries no grant', undefined],
    ['signed by no key that the system publishes', grant({ header: { kid: 'other' } })],
    ['signed by no key that the system publishes', grant({ header: { alg: 'none' } })],
    ['signed by no key that the system publishes', 'nonsense'],
    ['the signature of the grant is wrong', grant({ key: stranger })],
    ['the signature of the grant is wrong', `${head}.${payload}.`],
    ['the grant is for another action', grant({ metadata: '{"n":2}' })],
    ['the grant is for another action', grant({ claims: { action_type: 'a.c' } })],
    ['the grant is for another request', grant({ claims: { event_id: 'evt_2' } })],
    ['the grant is for another request', grant({ claims: { approval_id: 'apr_1' } })],
    ['the grant has run out', grant({ claims: { exp: 1_000 } })],
  ])('%s', async (why, given) => {
    answers = [executedWith(given), published];
    for (const command of [[], ['--', 'touch', '/never']]) {
      const { code, said } = await al('gate', 'a.b', ...command);
      expect({ code, said }).toEqual({ code: 1, said: expect.stringContaining(why) as string });
      expect(said).toContain('executed, but not let through');
      answers = [executedWith(given), published];
    }
    expect(seen.map(({ url }) => url)).not.toContain('/api/v1/report');
  });

  it('nor does an approval whose keys cannot be fetched', async () => {
    answers = [executed, problem(503, 'UNAVAILABLE')];
    const { code, out } = await al('gate', 'a.b', '--retry-for', '300ms', '--', 'echo', 'ran');
    expect({ code, out }).toEqual({ code: 4, out: '' });
  });
});

it.each([
  ['NOT_FOUND', 404],
  ['APPROVAL_ALREADY_DECIDED', 409],
  ['APPROVAL_TIMED_OUT', 409],
])('what the system refuses by %s ends with 1', async (error, status) => {
  answers = [problem(status, error)];
  const { code, said } = await al('approvals', 'approve', 'apr_1');
  expect(code).toBe(1);
  expect(said).toBe(`al: it is so (${error})\n`);
});

it.each(['approve', 'deny'])('%s of a decided request says who decided, when and why', async (verb) => {
  const decision = {
    status: 'denied',
    resolved_by: 'mbr_01jd7e5sqcfnmrq9yh4qvxw2k3',
    resolved_at: '2026-11-25T10:05:00.000Z',
    reason: 'Not on\u0007 a Friday',
    denial_reason: 'DENIED_BY_REVIEWER',
  };
  answers = [problem(409, 'APPROVAL_ALREADY_DECIDED', {}, { decision })];
  const { code, said } = await al('approvals', verb, 'apr_1');
  expect(code).toBe(1);
  expect(said).toMatch(
    /^al: it is so \(APPROVAL_ALREADY_DECIDED\)\n {2}denied 2026-11-25 \d\d:05:00 .+ by mbr_01jd7e5sqcfnmrq9yh4qvxw2k3 DENIED_BY_REVIEWER “Not on\\x07 a Friday”\n$/,
  );
});

it.each([
  ['timed_out', 'approval_timeout', 'approval_timeout', 'by the system approval_timeout'],
  ['cancelled', 'CANCELLED', null, 'by the agent CANCELLED'],
])('of a request that is %s it says so', async (status, denial_reason, reason, wanted) => {
  const decision = {
    status,
    resolved_by: null,
    resolved_at: '2026-11-25T10:05:00.000Z',
    reason,
    denial_reason,
  };
  answers = [problem(409, 'APPROVAL_TIMED_OUT', {}, { decision })];
  const { said } = await al('approvals', 'deny', 'apr_1');
  expect(said.trimEnd().endsWith(wanted)).toBe(true);
});

it.each([
  ['', 127, 'The empty command cannot be run'],
  ['/', 126, '/ cannot be run (EACCES)'],
])('the command %j cannot be run: it says so and reports a failure', async (file, wanted, why) => {
  answers = [
    executed,
    published,
    json(200, { audit_event_id, status: 'failure', reported_at: '2026-11-25T10:05:00.000Z' }),
  ];
  const { code, said } = await al('gate', 'a.b', '--', file);
  expect(code).toBe(wanted);
  expect(said).toContain(why);
  expect(JSON.parse(seen[2]?.body ?? '')).toMatchObject({ outcome: { status: 'failure' } });
});

it('a decision that may have arrived is not sent again', async () => {
  answers = [cut, json(200, sampleApproval({ status: 'approved' }))];
  const { code, said } = await al(
    'approvals',
    'approve',
    'apr_1',
    '--reason',
    'fine',
    '--for',
    'action_type',
  );
  expect(code).toBe(4);
  expect(said).toContain('Whether it took effect is not known');
  expect(seen.map(({ body }) => JSON.parse(body) as unknown)).toEqual([
    { reason: 'fine', scope: 'forever', forever_for: 'action_type' },
  ]);
});

it('lists as many as asked for, page by page', async () => {
  const page = (next_cursor: string | null) => json(200, { approvals: [sampleApproval()], next_cursor });
  answers = [page('one'), page('two'), page(null)];
  const { code, out, said } = await al('approvals', 'list', '--limit', '2', '--action-type', 'a.b');
  expect({ code, lines: out.trimEnd().split('\n').length }).toEqual({ code: 0, lines: 3 });
  expect(said).toBe('There are more than 2; --limit shows them.\n');
  expect(seen.map(({ url }) => url)).toEqual([
    '/api/v1/approvals?status=pending&action_type=a.b&limit=2',
    '/api/v1/approvals?status=pending&action_type=a.b&limit=1&cursor=one',
  ]);
  answers = [json(200, { approvals: [], next_cursor: null })];
  expect((await al('approvals', 'list')).said).toBe('No request waits for a decision.\n');
});
