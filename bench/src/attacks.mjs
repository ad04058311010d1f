// What one workspace, or somebody without a key, can do to another workspace that asks now and then.
// `node tools/bootstrap.mjs run bench/src/attacks.mjs [--root DIR] [--seconds N] [--only NAME,…]`
import { fork } from 'node:child_process';
import { Agent, request } from 'node:http';
import { resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';

const self = fileURLToPath(import.meta.url);
const bodyBytes = 250 * 1024;
const victimConnections = 2;
const victimPauseMs = 40;
const maxRequests = 200_000;

const list = (length, make) => Array.from({ length }, (_, i) => make(i));
const text = (value) => JSON.stringify(value);

/** A body as large as the gateway takes, of as many values as fit. */
function largeBody(action_type) {
  const metadata = {};
  for (let i = 0, bytes = 100; bytes < bodyBytes; i++) {
    metadata[`k${i}`] = i;
    bytes += 7 + 2 * String(i).length;
  }
  return text({ action_type, metadata });
}

/** Each attack: how many connections send what, in turn. `{agent}` is the attacker's key. */
const attacks = {
  none: null,
  expressions: () => ({
    connections: 12,
    messages: [
      post('{agent}', text({ action_type: 'heavy.expression', metadata: { n: list(15_000, (i) => i) } })),
    ],
  }),
  lists: () => ({
    connections: 12,
    messages: [
      post(
        '{agent}',
        text({ action_type: 'heavy.list', metadata: { files: list(12_000, (i) => ({ kind: `k${i}` })) } }),
      ),
    ],
  }),
  bodies: () => ({ connections: 16, messages: [post('{agent}', largeBody('heavy.body'))] }),
  openapi: () => ({ connections: 32, messages: [{ method: 'GET', path: '/api/v1/openapi.json' }] }),
  badkeys: () => ({ connections: 16, messages: [post('al_agent_nobody', largeBody('heavy.body'))] }),
};

const post = (key, body) => ({ method: 'POST', path: '/api/v1/actions', key, body });

if (process.argv[2] === 'attack') process.once('message', (task) => attack(task));
else await main();

async function main() {
  const { values: options } = parseArgs({
    options: {
      root: { type: 'string', default: resolve(self, '../../..') },
      seconds: { type: 'string', default: '10' },
      only: { type: 'string', default: Object.keys(attacks).join(',') },
    },
  });
  const root = resolve(options.root);
  const { startStack } = await import(pathToFileURL(`${root}/libs/testkit/dist/index.js`).href);
  const services = ['gateway', 'policy-engine', 'audit-ledger', 'approval-service', 'notifier'];
  const stack = await startStack({ services, samplePolicy: false });
  try {
    await stack.startServices();
    const keys = await furnish(stack);
    console.log(
      'attack        victim: answers     p50 ms     p99 ms     max ms   503   attacker: answers, by status',
    );
    for (const name of options.only.split(',')) {
      const made = attacks[name]?.();
      const seconds = Number(options.seconds);
      const attacker = made && startAttack(stack.baseUrl, made, keys, seconds);
      await pause(500);
      const victim = await ask(stack.baseUrl, keys.victim, seconds - 1);
      const said = await attacker;
      console.log(
        [
          name.padEnd(12),
          String(victim.times.length).padStart(17),
          ...[0.5, 0.99, 1].map((share) => at(victim.times, share).padStart(10)),
          `${((100 * victim.unavailable) / victim.times.length).toFixed(1)} %`.padStart(7),
          `  ${said ? text(said) : '-'}`,
        ].join(' '),
      );
      await pause(3_000);
    }
  } finally {
    await stack.stop();
  }
}

/** Two workspaces: the victim's has a plain policy, the attacker's the dearest ones that we know. */
async function furnish({ baseUrl, credentials }) {
  const send = async (path, key, body) => {
    const answer = await fetch(baseUrl + path, {
      method: 'POST',
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
      body: text(body),
    });
    if (!answer.ok) throw new Error(`POST ${path} answered ${answer.status}: ${await answer.text()}`);
    return answer.json();
  };
  const admin = credentials.admin.api_key;
  await send('/api/v1/policies', admin, {
    name: 'light',
    action_type: 'light.*',
    effect: 'conditional',
    conditions: [{ field: 'count', operator: 'lte', value: 10 }],
  });
  const other = await send('/api/v1/workspaces', admin, {
    name: 'attacker',
    admin: { email: 'attacker@example.com', name: 'attacker', password: 'a long password of an attacker' },
  });
  const heavy = { effect: 'conditional', on_fail: 'deny' };
  for (const policy of [
    {
      name: 'expression',
      action_type: 'heavy.expression',
      condition_expression: 'metadata.n.all(x, metadata.n.all(y, metadata.n.all(z, x + y + z >= 0)))',
    },
    {
      name: 'list',
      action_type: 'heavy.list',
      conditions: list(50, () => ({ field: 'files.kind', operator: 'not_contains', value: 'pii' })),
    },
    { name: 'body', action_type: 'heavy.body', conditions: [{ field: 'k1', operator: 'eq', value: 1 }] },
  ])
    await send('/api/v1/policies', other.admin.api_key, { ...heavy, ...policy });
  const victim = await send('/api/agents/register', credentials.service_key, { name: 'victim' });
  const agent = await send('/api/agents/register', other.service_key, { name: 'attacker' });
  return { victim: victim.api_key, agent: agent.api_key };
}

/** The victim: a few connections that ask, wait for the answer, pause, and ask again. */
async function ask(baseUrl, key, seconds) {
  const times = [];
  let unavailable = 0;
  const agent = new Agent({ keepAlive: true, maxSockets: victimConnections });
  const until = performance.now() + seconds * 1_000;
  await Promise.all(
    list(victimConnections, async () => {
      while (performance.now() < until) {
        const began = performance.now();
        const status = await send(
          agent,
          baseUrl,
          post(key, text({ action_type: 'light.one', metadata: { count: 1 } })),
        );
        times.push(performance.now() - began);
        if (status !== 200) unavailable++;
        await pause(victimPauseMs);
      }
    }),
  );
  agent.destroy();
  times.sort((a, b) => a - b);
  return { times, unavailable };
}

/** In a process of its own: the victim's times are not to wait for the attacker's work. */
function startAttack(baseUrl, made, keys, seconds) {
  const child = fork(self, ['attack']);
  const messages = made.messages.map((one) => ({
    ...one,
    key: one.key === '{agent}' ? keys.agent : one.key,
  }));
  child.send({ baseUrl, connections: made.connections, messages, seconds });
  return new Promise((done, failed) => {
    child.once('message', done);
    child.once('error', failed);
  });
}

async function attack({ baseUrl, connections, messages, seconds }) {
  const byStatus = {};
  let sent = 0;
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  const until = performance.now() + seconds * 1_000;
  await Promise.all(
    list(connections, async (i) => {
      while (performance.now() < until && sent++ < maxRequests) {
        const status = await send(agent, baseUrl, messages[i % messages.length]).catch(() => 'broken');
        byStatus[status] = (byStatus[status] ?? 0) + 1;
        if (status !== 200) await pause(5);
      }
    }),
  );
  agent.destroy();
  process.send(byStatus, () => process.exit(0));
}

function send(agent, baseUrl, { method, path, key, body }) {
  return new Promise((done, failed) => {
    const sent = request(
      baseUrl + path,
      {
        agent,
        method,
        headers: {
          ...(key ? { authorization: `Bearer ${key}` } : {}),
          ...(body ? { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) } : {}),
        },
      },
      (answer) => {
        answer.resume();
        answer.once('end', () => done(answer.statusCode));
        answer.once('error', failed);
      },
    );
    sent.once('error', failed);
    sent.end(body);
  });
}

function at(sorted, share) {
  return (sorted[Math.ceil(sorted.length * share) - 1] ?? Number.NaN).toFixed(1);
}

function pause(ms) {
  return new Promise((done) => setTimeout(done, ms));
}
