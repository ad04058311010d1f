import { generateKeyPairSync, sign } from 'node:crypto';
import { actionDigest, AgentLattice, type JsonObject } from '@agentlattice/sdk';

export interface Seen {
  readonly route: string;
  readonly eventId: string | null;
  readonly body: JsonObject;
}
type Reply = { readonly status?: number; readonly body: JsonObject } | 'no connection';

const base64url = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');

/** A system that answers by route in place of the network; `set` changes an answer. */
export function fakeSystem() {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const { x = '' } = publicKey.export({ format: 'jwk' });
  const seen: Seen[] = [];
  const set: Record<string, (seen: Seen) => Reply | Promise<Reply>> = {};

  /** A grant for what was submitted. */
  const grantFor = async ({ body }: Seen, claims: JsonObject = {}) => {
    const action = {
      actionType: String(body['action_type']),
      metadata: body['metadata'] as JsonObject,
      dataAccessed: [],
    };
    const digest = await actionDigest(action, { agentId: 'agt_1', orgId: 'org_1' });
    const said = {
      ...{ sub: 'agt_1', org_id: 'org_1', approval_id: 'apr_1', event_id: 'evt_1' },
      ...{ action_type: action.actionType, action_digest: digest, exp: Date.now() / 1_000 + 900, jti: 'g1' },
      ...claims,
    };
    const text = `${base64url({ alg: 'EdDSA', kid: 'k1' })}.${base64url(said)}`;
    return `${text}.${sign(null, Buffer.from(text), privateKey).toString('base64url')}`;
  };
  const executed = async (submission: Seen, claims: JsonObject = {}): Promise<Reply> => ({
    body: {
      ...{ status: 'executed', verdict: 'executed', audit_event_id: 'evt_1', approval_id: 'apr_1' },
      ...{ policy_name: 'refunds', conditions_evaluated: [], grant: await grantFor(submission, claims) },
    },
  });
  const refused = (status: number, error: string): Reply => ({ status, body: { error, message: error } });

  const answers: typeof set = {
    'POST /api/v1/actions': (submission) => executed(submission),
    'GET /.well-known/jwks.json': () => ({ body: { keys: [{ kid: 'k1', kty: 'OKP', crv: 'Ed25519', x }] } }),
    'POST /api/v1/grants/consume': () => ({ body: { status: 'consumed' } }),
    'POST /api/v1/report': () => ({ body: {} }),
  };
  const answer = async (input: URL | Request | string, init: RequestInit = {}): Promise<Response> => {
    const route = `${String(init.method)} ${new URL(String(input)).pathname}`;
    const eventId = new Headers(init.headers).get('x-al-event-id');
    const body = typeof init.body === 'string' ? (JSON.parse(init.body) as JsonObject) : {};
    const request = { route, eventId, body };
    seen.push(request);
    const reply = await (set[route] ?? answers[route])?.(request);
    if (reply === undefined) throw new Error(`no answer for ${route}`);
    if (reply === 'no connection') throw new TypeError('fetch failed');
    return Response.json(reply.body, { status: reply.status ?? 200 });
  };
  const al = new AgentLattice({ apiKey: 'k', baseUrl: 'http://system', retryForMs: 0, fetch: answer });
  return { al, seen, set, executed, refused, routes: () => seen.map(({ route }) => route) };
}
