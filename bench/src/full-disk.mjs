// What a full disk does to the running system, and how long it takes to be well again once there is space.
// Linux and root: the store of NATS, of PostgreSQL, or the whole data directory is a small tmpfs that is filled and freed.
import { execFileSync, spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import { closeSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { freePort, pause, until } from './process.mjs';

const { values: options } = parseArgs({
  options: {
    checkout: { type: 'string', default: fileURLToPath(new URL('../..', import.meta.url)) },
    disk: { type: 'string', default: 'nats' },
    'full-seconds': { type: 'string', default: '30' },
    'watch-seconds': { type: 'string', default: '240' },
    'submissions-per-second': { type: 'string', default: '20' },
    'decisions-per-second': { type: 'string', default: '10' },
  },
});
const checkout = resolve(options.checkout);
const fullSeconds = Number(options['full-seconds']);
const watchSeconds = Number(options['watch-seconds']);
const perSecond = {
  submissions: Number(options['submissions-per-second']),
  decisions: Number(options['decisions-per-second']),
};
const beforeSeconds = 5;
const afterSeconds = 20;
const diskMb = { nats: 96, postgres: 512, both: 768 }[options.disk];
if (diskMb === undefined) throw new Error('--disk is nats, postgres or both');

const dataDir = mkdtempSync(join(tmpdir(), 'al-full-disk-'));
const disk = options.disk === 'both' ? dataDir : join(dataDir, options.disk);
const filler = join(disk, 'filler');
const port = await freePort();
const base = `http://127.0.0.1:${port}`;
const startedAt = performance.now();
const now = () => (performance.now() - startedAt) / 1_000;
const say = (text) => console.log(`${now().toFixed(1).padStart(7)} s  ${text}`);

let launcher;
let phase = 'before';
let loading = false;
const answers = { submissions: {}, decisions: {} };
const slowest = {};
const texts = new Map();
const submitted = new Set();
/** Approval id -> when its decision was answered. */
const decided = new Map();
/** Approval id -> when its decision was seen in the log. */
const logged = new Map();
const loggedSubmissions = new Set();

async function call(method, path, key, body) {
  const from = performance.now();
  try {
    const answer = await fetch(base + path, {
      method,
      headers: {
        ...(key === undefined ? {} : { authorization: `Bearer ${key}` }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      body: body === undefined ? undefined : JSON.stringify(body),
      signal: AbortSignal.timeout(20_000),
    });
    return { status: answer.status, text: await answer.text(), ms: performance.now() - from };
  } catch (error) {
    return { status: 0, text: String(error), ms: performance.now() - from };
  }
}

const json = ({ text }) => {
  try {
    return JSON.parse(text);
  } catch {
    return {};
  }
};

function count(kind, { status, text, ms }) {
  const of = (answers[kind][phase] ??= {});
  const name = status === 0 ? 'no answer' : String(status);
  of[name] = (of[name] ?? 0) + 1;
  const key = `${kind} ${phase}`;
  slowest[key] = Math.max(slowest[key] ?? 0, ms);
  if (status >= 500) {
    const { detail } = json({ text });
    const what = `${kind} ${status}: ${detail}`.replace(/\d+ s$/, '… s');
    texts.set(what, (texts.get(what) ?? 0) + 1);
  }
}

function start() {
  const { NODE_OPTIONS: _, DATABASE_URL: __, NATS_URL: ___, REDIS_URL: ____, ...rest } = process.env;
  const output = openSync(`${dataDir}.log`, 'a');
  // As a child of the bootstrap would be: with the Node that the checkout brings.
  launcher = spawn(process.execPath, ['tools/launcher/dist/main.js'], {
    cwd: checkout,
    env: { ...rest, AL_DATA_DIR: dataDir, PORT: String(port) },
    stdio: ['ignore', output, output],
  });
  closeSync(output);
  const child = launcher;
  child.exited = new Promise((done) => child.once('exit', done));
  return until(
    'a start',
    async () => child.exitCode !== null || (await call('GET', '/readyz')).status === 200,
    120_000,
  ).then(() => {
    if (child.exitCode !== null) throw new Error(`the start failed; see ${dataDir}.log`);
  });
}

async function stop() {
  launcher?.kill('SIGTERM');
  await launcher?.exited;
  launcher = undefined;
}

const mount = (where) => execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${diskMb}m`, 'tmpfs', where]);
/** The store moves to a disk of its own while nothing runs. */
async function moveToSmallDisk() {
  if (options.disk === 'both') return;
  await stop();
  const aside = `${disk}.aside`;
  execFileSync('mv', [disk, aside]);
  mkdirSync(disk, { mode: 0o700 });
  mount(disk);
  execFileSync('cp', ['-a', `${aside}/.`, disk]);
  execFileSync('chmod', ['700', disk]);
  rmSync(aside, { recursive: true });
  await start();
}

/** By another process: writing here would hold up the load and its times. */
async function fill() {
  for (const block of ['64k', '512'])
    await new Promise((done) => {
      const args = ['if=/dev/zero', `of=${filler}`, `bs=${block}`, 'oflag=append', 'conv=notrunc'];
      // It ends where there is no more space.
      spawn('dd', args, { stdio: 'ignore' }).once('exit', done);
    });
}

async function atRate(rate, work) {
  const running = new Set();
  let next = performance.now();
  while (loading) {
    if (running.size < 200) {
      const one = work().finally(() => running.delete(one));
      running.add(one);
    }
    next = Math.max(next + 1_000 / rate, performance.now() - 1_000);
    await pause(Math.max(0, next - performance.now()));
  }
  await Promise.all(running);
}

async function readLog(state, key) {
  for (;;) {
    const page = await call('GET', `/api/v1/audit/entries?from=${state.from}&limit=1000`, key);
    if (page.status !== 200) return;
    const lines = page.text.split('\n').filter(Boolean);
    for (const line of lines) {
      const entry = JSON.parse(line);
      if (entry.type === 'approval.approved' && !logged.has(entry.approval_id))
        logged.set(entry.approval_id, now());
      if (entry.type.startsWith('action.')) loggedSubmissions.add(entry.id);
    }
    state.from += lines.length;
    if (lines.length < 100) return;
  }
}

const require = createRequire(join(checkout, 'package.json'));
/** Whether the event stream stores a message; asked as the administrator, on a subject nobody takes in. */
async function streamStores() {
  const { connect } = require('@nats-io/transport-node');
  const { jetstream } = require('@nats-io/jetstream');
  const config = readFileSync(join(dataDir, 'nats.conf'), 'utf8');
  const pass = JSON.parse(readFileSync(join(dataDir, 'secrets.json'), 'utf8'))['nats.admin'];
  const servers = /listen: "([^"]+)"/.exec(config)[1];
  const nc = await connect({ servers, user: 'admin', pass, reconnect: false, timeout: 1_000 });
  try {
    await jetstream(nc, { timeout: 1_000 }).publish('events.bench.bench.bench', '{}');
    return true;
  } finally {
    await nc.close();
  }
}

async function run() {
  if (options.disk === 'both') mount(dataDir);
  await start();
  await moveToSmallDisk();
  const credentials = JSON.parse(readFileSync(join(dataDir, 'credentials.json'), 'utf8'));
  const admin = credentials.admin.api_key;
  const agent = credentials.agent.api_key;
  const post = (path, key, body) =>
    until(`POST ${path}`, async () => (await call('POST', path, key, body)).status === 201);
  await post('/api/v1/policies', admin, { name: 'lets', action_type: 'disk.allowed', effect: 'allow' });
  await post('/api/v1/policies', admin, {
    name: 'asks',
    action_type: 'disk.asked',
    effect: 'require_approval',
  });
  const submit = (type) =>
    call('POST', '/api/v1/actions', agent, { action_type: type, metadata: { note: 'x'.repeat(500) } });
  const open = [];
  const wanted = perSecond.decisions * (beforeSeconds + fullSeconds + afterSeconds + 10);
  while (open.length < wanted) {
    const made = await Promise.all(Array.from({ length: 20 }, () => submit('disk.asked')));
    for (const answer of made) if (answer.status === 202) open.push(json(answer).approval_id);
  }
  say(`${open.length} requests wait for a person; load begins`);

  const logState = { from: 0 };
  let watching = true;
  const readiness = [];
  const watch = (async () => {
    let last = '';
    while (watching) {
      const answer = await call('GET', '/readyz');
      const { missing = [], reasons } = json(answer);
      const ready = answer.status === 200;
      readiness.push({ at: now(), ready });
      const text = ready
        ? 'ready'
        : `NOT READY: ${(reasons ?? missing).join('; ') || answer.text.slice(0, 120)}`;
      const stable = text.replace(/\d+/g, '#');
      if (stable !== last) say(text);
      last = stable;
      await pause(250);
    }
  })();
  const follow = (async () => {
    while (watching) {
      await readLog(logState, admin);
      await pause(500);
    }
  })();

  loading = true;
  const load = Promise.all([
    atRate(perSecond.submissions, async () => {
      const answer = await submit('disk.allowed');
      count('submissions', answer);
      if (answer.status === 200) submitted.add(json(answer).audit_event_id);
    }),
    atRate(perSecond.decisions, async () => {
      const id = open.shift();
      if (id === undefined) return;
      const answer = await call('POST', `/api/v1/approvals/${id}/approve`, admin, { reason: 'reviewed' });
      count('decisions', answer);
      if (answer.status === 200) decided.set(id, now());
      else open.push(id);
    }),
  ]);
  await pause(beforeSeconds * 1_000);
  await fill();
  phase = 'full';
  const fullAt = now();
  say(`the disk of ${options.disk} is full`);
  await pause(fullSeconds * 1_000);
  rmSync(filler);
  phase = 'freed';
  const freedAt = now();
  say('the disk has space again');
  let storesAt = null;
  const asking = (async () => {
    while (storesAt === null && watching) {
      if (await streamStores().catch(() => false)) storesAt = now();
      else await pause(500);
    }
  })();
  await pause(afterSeconds * 1_000);
  loading = false;
  await load;
  const loadEndedAt = now();
  say('load ends');
  const missing = () => [...decided.keys()].filter((id) => !logged.has(id)).length;
  // Well: ready for 3 s on end, a submission goes through, and every decision that was answered is in the log.
  let wellAt = null;
  while (now() < freedAt + watchSeconds) {
    const recent = readiness.filter(({ at }) => at > now() - 3);
    const good = recent.length > 3 && recent.every(({ ready }) => ready);
    if (good && storesAt !== null && missing() === 0 && (await submit('disk.allowed')).status === 200) {
      wellAt = now();
      break;
    }
    await pause(500);
  }
  watching = false;
  await Promise.all([watch, follow, asking]);
  await readLog(logState, admin);

  const toldAt = readiness.find(({ at, ready }) => at >= fullAt && !ready)?.at;
  const redAtEnd = readiness.findLast(({ ready }) => !ready)?.at;
  const waits = [...decided].map(([id, at]) => (logged.get(id) ?? Infinity) - at).sort((a, b) => a - b);
  const late = [...decided].filter(
    ([id, at]) => at < freedAt && (logged.get(id) ?? Infinity) > freedAt,
  ).length;
  const seconds = (value) =>
    value === undefined || value === null || !Number.isFinite(value) ? 'never' : `${value.toFixed(1)} s`;
  console.log(`
disk: ${options.disk}; full for ${fullSeconds} s; checkout ${execFileSync('git', ['-C', checkout, 'rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).trim()}
readiness tells after the disk is full     ${seconds(toldAt && toldAt - fullAt)}
well by itself after space came back       ${seconds(wellAt && (redAtEnd > freedAt ? Math.max(redAtEnd, lastLogged(), storesAt) : Math.max(lastLogged(freedAt), storesAt)) - freedAt)}${wellAt === null ? ` (watched for ${watchSeconds} s)` : ''}
the event stream stores again after        ${seconds(storesAt && storesAt - freedAt)}
decisions answered                         ${decided.size}
  not in the log when space came back      ${late}
  longest time from answer to log          ${seconds(waits.at(-1))}
  missing in the log at the end            ${missing()}
submissions answered 200                   ${submitted.size}
  missing in the log at the end            ${[...submitted].filter((id) => !loggedSubmissions.has(id)).length}
answers by phase                           ${JSON.stringify(answers)}
slowest answer by phase, ms                ${JSON.stringify(Object.fromEntries(Object.entries(slowest).map(([k, v]) => [k, Math.round(v)])))}
errors told                                ${[...texts].map(([what, n]) => `\n  ${n} x ${what}`).join('')}
load ended ${seconds(loadEndedAt - freedAt)} after space came back`);

  function lastLogged(floor = 0) {
    return Math.max(
      floor,
      ...[...decided].filter(([, at]) => at < freedAt).map(([id]) => logged.get(id) ?? 0),
    );
  }
}

try {
  await run();
} catch (error) {
  console.error(error);
  process.exitCode = 1;
} finally {
  await stop();
  try {
    execFileSync('umount', [disk], { stdio: 'ignore' });
  } catch {
    // It was not mounted yet.
  }
  rmSync(dataDir, { recursive: true, force: true });
  console.log(`what the launcher said: ${dataDir}.log`);
  process.exit();
}
