// Plays the cases of this folder over HTTP: POST /runs with a case gives an address; GET /runs/<id> what became of it.
import { createHash, generateKeyPairSync, sign } from 'node:crypto';
import { createServer } from 'node:http';
import canonicalize from 'canonicalize';

const kid = 'conformance';
const agentId = 'agt_conformance';
const orgId = 'org_conformance';
const published = generateKeyPairSync('ed25519');
const stranger = generateKeyPairSync('ed25519');
const jwks = {
  keys: [{ ...published.publicKey.export({ format: 'jwk' }), kid, alg: 'EdDSA', use: 'sig' }],
};

/** Starts the server. @returns its address, and how to stop it */
export async function startScriptedServer() {
  const runs = new Map();
  let count = 0;

  const server = createServer(async (request, response) => {
    const body = await textOf(request);
    const url = new URL(request.url ?? '/', 'http://server');
    if (url.pathname === '/runs' && request.method === 'POST') {
      const id = String(++count);
      runs.set(id, { exchanges: JSON.parse(body).exchanges ?? [], next: 0, faults: [] });
      return json(response, 201, { id });
    }
    const [, , id = '', ...rest] = url.pathname.split('/');
    const run = runs.get(id);
    if (run === undefined) return json(response, 599, { error: 'NO_RUN', message: 'no such run' });
    if (rest.length === 0) {
      const missing = run.exchanges
        .slice(run.next)
        .map(({ request: { method, path } }) => `${method} ${path}`);
      return json(response, 200, { faults: run.faults, missing });
    }
    await play(run, request, response, { path: `/${rest.join('/')}${url.search}`, body });
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = `http://127.0.0.1:${String(server.address().port)}`;
  return {
    address,
    stop: () => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(resolve));
    },
  };
}

async function play(run, request, response, { path, body }) {
  const exchange = run.exchanges[run.next];
  const isNext = exchange?.request.method === request.method && exchange.request.path === path;
  if (!isNext && path === '/.well-known/jwks.json') return json(response, 200, jwks);
  if (!isNext) {
    run.faults.push(
      `${String(request.method)} ${path} came where ${exchange === undefined ? 'nothing' : `${exchange.request.method} ${exchange.request.path}`} was next`,
    );
    return json(response, 599, { error: 'UNEXPECTED', message: 'not the next request of this case' });
  }
  run.next++;
  run.faults.push(...differences(exchange.request, request, body));
  const { answer } = exchange;
  if (answer === 'drop') return void request.socket.destroy();
  if (answer.delay_ms !== undefined) await new Promise((resolve) => setTimeout(resolve, answer.delay_ms));
  if (answer.text !== undefined) {
    response.writeHead(answer.status, { 'content-type': 'text/html', ...answer.headers });
    return void response.end(answer.text);
  }
  json(response, answer.status, filled(answer.body ?? {}), answer.headers);
}

function differences(wanted, request, body) {
  const faults = [];
  for (const [name, value] of Object.entries(wanted.headers ?? {})) {
    const found = request.headers[name];
    if (value === null ? found !== undefined : found !== value)
      faults.push(
        `header ${name} of ${wanted.method} ${wanted.path} was ${String(found)}, not ${String(value)}`,
      );
  }
  if (wanted.body !== undefined) {
    const found = body === '' ? undefined : JSON.parse(body);
    if (!holds(found, wanted.body))
      faults.push(
        `the body of ${wanted.method} ${wanted.path} was ${body}, without ${JSON.stringify(wanted.body)}`,
      );
  }
  return faults;
}

/** Whether all of `wanted` stands in `found`; lists are compared as a whole, item by item. */
export function holds(found, wanted) {
  if (wanted === null || typeof wanted !== 'object') return Object.is(found, wanted);
  if (found === null || typeof found !== 'object') return false;
  if (Array.isArray(wanted))
    return (
      Array.isArray(found) &&
      found.length === wanted.length &&
      wanted.every((item, i) => holds(found[i], item))
    );
  return Object.entries(wanted).every(([name, value]) =>
    // "Null" and "not there" say the same in a result.
    value === null ? (found[name] ?? null) === null : holds(found[name], value),
  );
}

function filled(value) {
  if (typeof value === 'string')
    return value.replaceAll(/\{now([+-]\d+)\}/g, (_, seconds) =>
      new Date(Date.now() + Number(seconds) * 1_000).toISOString(),
    );
  if (Array.isArray(value)) return value.map(filled);
  if (value === null || typeof value !== 'object') return value;
  if ('$grant' in value) return grantFor(value.$grant);
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, filled(member)]));
}

function grantFor({ $action: action, $forged: forged, ...claims }) {
  const now = Math.floor(Date.now() / 1_000);
  const bound =
    action === undefined
      ? {}
      : {
          action_type: action.action_type,
          action_digest: createHash('sha256')
            .update(
              canonicalize({
                action_type: action.action_type,
                agent_id: agentId,
                data_accessed: action.data_accessed ?? [],
                metadata: action.metadata ?? {},
                org_id: orgId,
              }),
            )
            .digest('base64url'),
        };
  const payload = {
    ...{ iss: 'agentlattice', sub: agentId, org_id: orgId, jti: 'grant-1', iat: now, exp: now + 900 },
    ...bound,
    ...Object.fromEntries(
      Object.entries(claims).map(([name, value]) => [
        name,
        name === 'exp' || name === 'iat' ? now + Number(value) : value,
      ]),
    ),
  };
  const signed = [{ alg: 'EdDSA', kid }, payload]
    .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
    .join('.');
  const { privateKey } = forged === true ? stranger : published;
  return `${signed}.${sign(null, Buffer.from(signed), privateKey).toString('base64url')}`;
}

function json(response, status, body, headers = {}) {
  response.writeHead(status, {
    'content-type': status >= 400 ? 'application/problem+json' : 'application/json',
    'x-request-id': 'req-1',
    ...headers,
  });
  response.end(JSON.stringify(body));
}

async function textOf(request) {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}
