// What a person at the dashboard waits for, in a real Chromium against a started system.
// `node tools/bootstrap.mjs run bench/src/dashboard.mjs [--root DIR] [--rounds 60] [--pending 200,5000] [--actions 60]`
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { cpus, loadavg, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { percentile } from './figures.mjs';
import { freePort, pause, startProduct, until } from './process.mjs';

const { values: options } = parseArgs({
  options: {
    root: { type: 'string', default: resolve(new URL('../..', import.meta.url).pathname) },
    rounds: { type: 'string', default: '60' },
    pending: { type: 'string', default: '200,5000' },
    actions: { type: 'string', default: '60' },
    chromium: { type: 'string', default: 'chromium' },
  },
});
const [rounds, actions] = [Number(options.rounds), Number(options.actions)];
const require = createRequire(join(options.root, 'package.json'));
const { chromium } = require('playwright-core');
const results = new URL('../results/', import.meta.url).pathname;
const say = (text) => console.error(text);

const quantile = (times, share) => Math.round((percentile(times, share) ?? NaN) * 10) / 10;
const spread = (times) => ({ count: times.length, p50: quantile(times, 0.5), p99: quantile(times, 0.99) });

/** 40 ms of round trip, 10 Mbit/s down and 5 up. */
const fast4G = { offline: false, latency: 40, downloadThroughput: 1_250_000, uploadThroughput: 625_000 };
const slowDown = 4;

const scratch = await mkdtemp(join(tmpdir(), 'al-bench-dashboard-'));
const port = await freePort();
const base = `http://127.0.0.1:${port}`;
const product = startProduct(options.root, scratch, port);
const report = {
  when: new Date().toISOString(),
  machine: `${cpus().length} CPUs (${cpus()[0]?.model}), Node ${process.versions.node}`,
  options,
  load: { before: loadavg()[0] },
};
let browser;
let failed = false;
try {
  await until('the start', async () => (await fetch(`${base}/readyz`)).status === 200, 180_000);
  const { admin, agent } = JSON.parse(await readFile(join(scratch, 'credentials.json'), 'utf8'));
  await call('POST', '/api/v1/policies', admin.api_key, {
    ...{ name: 'Benchmark', action_type: 'bench.*', effect: 'require_approval', timeout: '20h' },
  });
  browser = await chromium.launch({ executablePath: await onPath(options.chromium), args: ['--no-sandbox'] });
  const state = await signedIn(admin);
  say('Submit → tile, click → agent …');
  report.live = await live(state, agent.api_key);
  say(JSON.stringify(report.live));
  let pending = 0;
  report.pending = {};
  for (const wanted of options.pending.split(',').map(Number)) {
    say(`${wanted} pending …`);
    await submitMany(agent.api_key, wanted - pending);
    pending = wanted;
    report.pending[wanted] = {
      load: loadavg()[0],
      firstTile: await firstTile(state),
      queueRead: await queueReads(admin.api_key),
      ...(await session(state)),
    };
    say(JSON.stringify(report.pending[wanted]));
  }
  report.load.after = loadavg()[0];
  const text = JSON.stringify(report, null, 2);
  await mkdir(results, { recursive: true });
  await writeFile(join(results, `dashboard-${report.when.replaceAll(/[:.]/g, '-')}.json`), `${text}\n`);
  console.log(text);
} catch (error) {
  failed = true;
  console.error(error);
} finally {
  await browser?.close();
  await product.stop();
  await rm(scratch, { recursive: true, force: true, maxRetries: 5 });
}
process.exit(failed ? 1 : 0);

async function onPath(name) {
  for (const folder of (process.env.PATH ?? '').split(':'))
    if (await readFile(join(folder, name)).then(Boolean, () => false)) return join(folder, name);
  return undefined;
}

async function call(method, path, key, body, headers = {}) {
  for (;;) {
    const response = await fetch(base + path, {
      method,
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json', ...headers },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    // While thousands are submitted the system asks for a pause.
    if (response.status === 429 || response.status === 503) await pause(300);
    else if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
    else return response.json();
  }
}

function submit(key, actionType, more = {}, headers = {}) {
  return call('POST', '/api/v1/actions', key, { action_type: actionType, ...more }, headers);
}

async function submitMany(key, count) {
  let next = 0;
  const one = async () => {
    while (next < count) {
      const n = next++;
      await submit(key, `bench.kind${n % 40}`, {
        metadata: { service: 'checkout', amount: n, region: 'eu' },
      });
    }
  };
  await Promise.all(Array.from({ length: 16 }, one));
}

/** The cookies of the administrator, for all pages. */
async function signedIn({ email, password }) {
  const page = await (await browser.newContext({ baseURL: base })).newPage();
  await page.goto('/sign-in');
  await page.getByLabel('E-mail').fill(email);
  await page.getByLabel('Password').fill(password);
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
  await page.locator('main:not(.door) h1').waitFor();
  const state = await page.context().storageState();
  await page.context().close();
  return state;
}

async function openQueue(state, prepare = async () => {}) {
  const context = await browser.newContext({ baseURL: base, storageState: state, reducedMotion: 'reduce' });
  const page = await context.newPage();
  page.setDefaultTimeout(60_000);
  await prepare(page, await context.newCDPSession(page));
  await page.goto('/approvals');
  return page;
}

/**
 * From sending a submission until its tile is painted, and from a click on Approve once until the agent's held request is
 * answered. Page and bench run on one machine, so both read one clock.
 */
async function live(state, key) {
  const page = await openQueue(state);
  await page.getByText('Live', { exact: true }).waitFor();
  const [visible, unblocked] = [[], []];
  for (let round = -5; round < rounds; round++) {
    const actionType = `bench.round${round + 5}`;
    const painted = page.evaluate(
      (name) =>
        new Promise((done) => {
          const look = () => {
            const found = [...document.querySelectorAll('article h3 a')].some((a) => a.textContent === name);
            if (!found) return false;
            // After the paint of the frame in which it is there.
            requestAnimationFrame(() => setTimeout(() => done(Date.now())));
            return true;
          };
          if (look()) return;
          const observer = new MutationObserver(() => look() && observer.disconnect());
          observer.observe(document.body, { childList: true, subtree: true });
        }),
      actionType,
    );
    const sentAt = Date.now();
    const held = submit(key, actionType, {}, { prefer: 'wait=60' }).then((answer) => ({
      answer,
      at: Date.now(),
    }));
    const seen = (await painted) - sentAt;
    // A person needs a moment; the page has no work of the last round any more.
    await pause(300);
    const clickedAt = await page.evaluate((name) => {
      const article = [...document.querySelectorAll('article')].find((one) =>
        [...one.querySelectorAll('h3 a')].some((a) => a.textContent === name),
      );
      const at = Date.now();
      article.querySelector('button[data-act=approve]').click();
      return at;
    }, actionType);
    const { answer, at } = await held;
    if (answer.status !== 'executed') throw new Error(`not approved: ${JSON.stringify(answer)}`);
    if (round >= 0) {
      visible.push(seen);
      unblocked.push(at - clickedAt);
    }
    await pause(200);
  }
  await page.context().close();
  return { submitToTile: spread(visible), clickToAgent: spread(unblocked) };
}

/** A first visit with an empty cache on a phone's network and processor, three times. */
async function firstTile(state) {
  const times = [];
  let script = 0;
  for (let visit = 0; visit < 3; visit++) {
    script = 0;
    const page = await openQueue(state, async (opened, cdp) => {
      await cdp.send('Network.enable');
      await cdp.send('Network.emulateNetworkConditions', fast4G);
      await cdp.send('Emulation.setCPUThrottlingRate', { rate: slowDown });
      const types = new Map();
      cdp.on('Network.responseReceived', ({ requestId, type }) => types.set(requestId, type));
      cdp.on('Network.loadingFinished', ({ requestId, encodedDataLength }) => {
        if (types.get(requestId) === 'Script') script += encodedDataLength;
      });
      await opened.addInitScript(() => {
        new MutationObserver((_, observer) => {
          if (document.querySelector('article h3 a') === null) return;
          observer.disconnect();
          requestAnimationFrame(() => setTimeout(() => (window.firstTileMs = performance.now())));
        }).observe(document, { childList: true, subtree: true });
      });
    });
    await page.waitForFunction(() => window.firstTileMs !== undefined);
    times.push(await page.evaluate(() => window.firstTileMs));
    await page.context().close();
  }
  return { ms: quantile(times, 0.5), all: times.map(Math.round), scriptKiB: Math.round(script / 102.4) / 10 };
}

/** The list as the page asks for it. */
async function queueReads(key) {
  const times = [];
  for (let i = 0; i < 20; i++) {
    const sentAt = performance.now();
    await call('GET', '/api/v1/approvals?status=pending&decidable=true&limit=100', key);
    times.push(performance.now() - sentAt);
  }
  return spread(times);
}

/** Keys, dialogs, a filter and scrolling as in a day's work: how long each interaction takes until the next paint; and the memory. */
async function session(state) {
  const page = await openQueue(state, async (opened) => {
    await opened.addInitScript(() => {
      window.interactions = new Map();
      new PerformanceObserver((list) => {
        for (const { interactionId, duration } of list.getEntries())
          if (interactionId > 0)
            window.interactions.set(
              interactionId,
              Math.max(duration, window.interactions.get(interactionId) ?? 0),
            );
      }).observe({ type: 'event', buffered: true, durationThreshold: 16 });
    });
  });
  const cdp = await page.context().newCDPSession(page);
  await page.locator('article h3 a').first().waitFor();
  await page.getByText('Live', { exact: true }).waitFor();
  let pressed = 0;
  const press = async (key) => {
    await page.keyboard.press(key);
    pressed += 1;
    await pause(60);
  };
  while (pressed < actions) {
    for (const key of ['j', 'j', 'k', 'd', 'Escape', 'a', 'j', 'f', 'Escape']) await press(key);
    await page.locator('article button[data-act=deny]').first().click();
    pressed += 1;
    await page.getByRole('alertdialog').waitFor();
    await press('Escape');
    await press('/');
    for (const key of 'kind7') await press(key);
    await page.locator('article h3 a').first().waitFor();
    await page.getByRole('searchbox').fill('');
    await press('Escape');
    await page.locator('main h1').click();
    pressed += 1;
    await page.mouse.wheel(0, 4_000);
    await pause(300);
    await page.mouse.wheel(0, -4_000);
    await pause(300);
  }
  const durations = await page.evaluate(() => [...window.interactions.values()]);
  // Interactions below 16 ms have no entry: they are the fastest of all.
  const all = [...durations, ...Array.from({ length: Math.max(0, pressed - durations.length) }, () => 16)];
  // To the end of the list, so that all of it is loaded.
  for (let page_ = 0; page_ < 120; page_++) {
    const [height, at] = await page.evaluate(() => {
      window.scrollTo(0, document.body.scrollHeight);
      return [document.body.scrollHeight, window.scrollY + window.innerHeight];
    });
    await pause(150);
    const after = await page.evaluate(() => document.body.scrollHeight);
    if (after === height && at >= height - 2) {
      await pause(1_500);
      if ((await page.evaluate(() => document.body.scrollHeight)) === height) break;
    }
  }
  await cdp.send('HeapProfiler.collectGarbage');
  const { usedSize } = await cdp.send('Runtime.getHeapUsage');
  const tiles = await page.locator('article').count();
  const setSize = await page.locator('article').last().getAttribute('aria-setsize');
  await page.context().close();
  return {
    interactionP75: quantile(all, 0.75),
    interactions: { ...spread(all), slowest: Math.max(...all) },
    heapMiB: Math.round((usedSize / 2 ** 20) * 10) / 10,
    tilesInPage: tiles,
    loaded: setSize === null ? tiles : Number(setSize),
  };
}
