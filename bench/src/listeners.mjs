// What live events cost, and how soon they come: from sending a decision until the event is at a listener, and memory a listener.
// `node tools/bootstrap.mjs run bench/src/listeners.mjs [--root DIR] [--listeners 1,1000,5000] [--decisions 60]`
import { Agent, request } from 'node:http';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { percentile } from './figures.mjs';
import { cpuSecondsOf, freePort, pause, productProcesses, pssOf, startProduct, until } from './process.mjs';

const { values: options } = parseArgs({
  options: {
    root: { type: 'string', default: resolve(new URL('../..', import.meta.url).pathname) },
    listeners: { type: 'string', default: '1,1000,5000' },
    decisions: { type: 'string', default: '60' },
  },
});
const counts = options.listeners.split(',').map(Number);
const decisions = Number(options.decisions);
const agent = new Agent({ keepAlive: true, maxSockets: Infinity });

const scratch = await mkdtemp(join(tmpdir(), 'al-bench-listeners-'));
const port = await freePort();
const base = `http://127.0.0.1:${port}`;
const product = startProduct(options.root, scratch, port);
try {
  await until('the start', async () => (await fetch(`${base}/readyz`)).status === 200, 120_000);
  const credentials = JSON.parse(await readFile(join(scratch, 'credentials.json'), 'utf8'));
  const [admin, asking] = [credentials.admin.api_key, credentials.agent.api_key];
  await call('POST', '/api/v1/policies', admin, {
    name: 'asks',
    action_type: 'ask.me',
    effect: 'require_approval',
  });
  const { gateway } = (await productProcesses(product.pid)).children;
  await decideSome(admin, asking, 20, () => {});
  console.log(`load ${(await readFile('/proc/loadavg', 'utf8')).split(' ')[0]}`);

  const open = [];
  const heard = new Map();
  const memoryBefore = await pssOf(gateway);
  for (const count of counts) {
    while (open.length < count)
      open.push(
        ...(await Promise.all(
          Array.from({ length: Math.min(100, count - open.length) }, () => listen(admin, heard)),
        )),
      );
    await pause(3_000);
    const memory = ((await pssOf(gateway)) - memoryBefore) / count;
    const cpuBefore = await cpuSecondsOf(gateway);
    const waits = [];
    await decideSome(admin, asking, decisions, async (id, sentAt) => {
      await until('the event', async () => (heard.get(id)?.length ?? 0) >= count, 20_000, 2);
      for (const at of heard.get(id)) waits.push(at - sentAt);
      heard.clear();
    });
    const cpu = (await cpuSecondsOf(gateway)) - cpuBefore;
    const [half, most] = [0.5, 0.99].map((share) => percentile(waits, share).toFixed(1));
    console.log(
      `${String(count).padStart(5)} listeners: decision → event p50 ${half} p99 ${most} ms; ` +
        `memory of the gateway ${(memory * 1024).toFixed(1)} KiB a listener; ` +
        `CPU of the gateway ${((cpu * 1e6) / decisions).toFixed(0)} µs a request with its decision`,
    );
  }
  for (const response of open) response.destroy();
} finally {
  await product.stop();
  await rm(scratch, { recursive: true, force: true, maxRetries: 5 });
}

/** Requests that are approved one after the other. `decided` is told the id, and when the approval was sent. */
async function decideSome(admin, asking, count, decided) {
  for (let i = 0; i < count; i++) {
    const { approval_id: id } = await call('POST', '/api/v1/actions', asking, { action_type: 'ask.me' });
    // As a person decides: some time after the request. What follows a publication within 250 ms is gathered with what comes then.
    await pause(400);
    const sentAt = performance.now();
    await call('POST', `/api/v1/approvals/${id}/approve`, admin, {});
    await decided(id, sentAt);
  }
}

async function call(method, path, key, body) {
  const response = await fetch(base + path, {
    method,
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
  return await response.json();
}

function listen(key, heard) {
  return new Promise((done, failed) => {
    const sent = request(
      `${base}/api/v1/events?types=approval.approved`,
      { agent, headers: { authorization: `Bearer ${key}` } },
      (response) => {
        if (response.statusCode !== 200) return failed(new Error(`HTTP ${response.statusCode}`));
        response.setEncoding('utf8');
        response.on('error', () => {});
        response.on('data', (text) => {
          const at = performance.now();
          for (const [id] of text.matchAll(/"approval_id":"(apr_[0-9a-z]{26})"/g) ?? []) {
            const name = id.slice(15, -1);
            const times = heard.get(name) ?? [];
            times.push(at);
            heard.set(name, times);
          }
        });
        done(response);
      },
    );
    sent.on('error', failed);
    sent.end();
  });
}
