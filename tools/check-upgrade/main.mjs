// `npm run check:upgrade -- [older commit] [--calm 5 --pre-stop 2]`: replaces two replicas of every service of that release, one by one and
// under load, by this checkout's, as a Deployment of Kubernetes does, and ends with 1 when one request failed or anything was lost.
// `npm run check:upgrade -- same` does it with this checkout on both sides: a rolling restart.
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { Load } from './load.mjs';
import { presentRelease, releaseOf } from './release.mjs';
import { migrate, openServers, permitOnNats, startReplica, testkit } from './system.mjs';
import { verifyAll } from './verify.mjs';

/** The release that an upgrade is checked from unless another is named; it has the same programs as this one. */
const earlier = 'a0f9b18';

/** What earlier commits did wrong while something was exchanged. Their failures are told, and do not count against this one. */
const mended = [
  {
    exchanged: 'permissions of NATS',
    // NATS forgets the answers that it has allowed (ADR 73).
    by: ['libs/messaging/src/hedged-request.ts', 'hedged'],
    fault: /does not answer \(timeout\)/,
  },
  {
    // ADR 69.
    exchanged: 'audit-ledger',
    by: ['apps/audit-ledger/src/application/writer-election.ts', 'handOver'],
    // Submissions that get no verdict take the place of the next ones.
    fault:
      /no verdict came in time|the audit ledger does not answer|too many actions of this workspace are waiting/,
  },
  {
    // ADR 69.
    exchanged: 'gateway',
    by: ['libs/service/src/closing-connections.ts', 'hasIdle'],
    fault: /ECONNRESET|EPIPE|socket hang up/,
  },
];

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    /** Seconds under load before, between the exchange of two services, and after. */
    calm: { type: 'string', default: '3' },
    /** Seconds between a gateway's removal from the Service and SIGTERM; in k8s/base ten. */
    'pre-stop': { type: 'string', default: '2' },
    /** Keeps the data and the logs of the services. */
    keep: { type: 'boolean', default: false },
  },
});
const [ref = earlier] = positionals;
const [calmMs, preStopMs] = [options.calm, options['pre-stop']].map((seconds) => Number(seconds) * 1_000);

const begun = performance.now();
const seconds = (ms) => `${(ms / 1_000).toFixed(1)} s`;
const say = (text) => console.log(`${seconds(performance.now() - begun).padStart(8)}  ${text}`);

// A stop from outside ends what was started, too; the signal may come more than once.
const stopped = new Promise((_, reject) => {
  for (const signal of ['SIGINT', 'SIGTERM'])
    process.on(signal, () => reject(new Error(`stopped by ${signal}`)));
});
stopped.catch(() => {});

const scratch = await mkdtemp(join(tmpdir(), 'al-upgrade-'));
const closing = [];
let failed = true;
try {
  failed = !(await Promise.race([check(), stopped]));
} catch (error) {
  console.error(error);
} finally {
  for (const close of closing.reverse()) await close();
  if (options.keep) say(`kept: ${scratch}`);
  else await rm(scratch, { recursive: true, force: true, maxRetries: 5 });
}
process.exit(failed ? 1 : 0);

async function check() {
  const to = presentRelease();
  const from = ref === 'same' ? to : await releaseOf(ref, join(scratch, 'release'));
  say(`from ${from.name} to ${to.name}`);
  const { tcpBalancer, webhookReceiver } = await testkit();
  const dataDir = join(scratch, 'data');
  await mkdir(join(dataDir, 'logs'), { recursive: true });
  const servers = await openServers(from, dataDir);
  closing.push(() => servers.directory.group.close());
  const { serviceNames } = await from.library('contracts');
  const receiver = await webhookReceiver();
  closing.push(receiver.stop);
  const extra = { EGRESS_ALLOW: '127.0.0.0/8', SMTP_URL: '', MAIL_FROM: '', LOG_LEVEL: 'info' };

  let replicas = [];
  const children = [];
  let numbers = 1;
  closing.push(() => children.forEach((child) => child.kill('SIGKILL')));
  const started = async (release, service, number) => {
    const spawned = (child) => children.push(child);
    const replica = await startReplica(release, service, number, servers, { extra, spawned });
    replicas.push(replica);
    return replica;
  };
  await Promise.all(
    serviceNames.flatMap((service) => [0, 1].map((number) => started(from, service, number))),
  );
  const balancer = await tcpBalancer(
    replicas.filter(({ service }) => service === 'gateway').map(({ port }) => port),
  );
  closing.push(balancer.stop);
  say('two replicas of every service are ready');

  const load = new Load(balancer.url, servers.credentials, (what, why) => say(`failed: ${what}: ${why}`));
  await furnish(load, receiver.url);
  load.failed = 0;
  load.start({ submitters: 3, holders: 3, waiters: 3 });
  const told = () => `${load.requests} requests so far, ${load.failed} failed`;
  await pause(calmMs);
  say(
    `under load: ${told()}; load of the machine ${(await readFile('/proc/loadavg', 'utf8')).split(' ')[0]}`,
  );

  if (from !== to) {
    for (const line of await migrate(to, servers)) say(`migration: ${line}`);
    load.fault = await faultOf(from, 'permissions of NATS');
    await permitOnNats(to, servers);
    await pause(calmMs);
    load.fault = undefined;
    say(`the old release on the new schema: ${told()}`);
  }
  const faults = [];
  for (const service of serviceNames) {
    load.fault = await faultOf(from, service);
    for (const old of replicas.filter((replica) => replica.service === service)) {
      const replica = await started(to, service, ++numbers);
      if (service === 'gateway') balancer.add(replica.port);
      const stopped = await stop(old, balancer);
      replicas = replicas.filter((other) => other !== old);
      if (stopped.how !== 0) faults.push(`${service} ended with ${stopped.how}`);
      say(
        `${service}: a new one is ready after ${seconds(replica.readyAfterMs)}; the old one stopped with ${stopped.how} ` +
          `in ${seconds(stopped.afterMs)}; ${told()}`,
      );
    }
    await pause(calmMs);
    load.fault = undefined;
  }
  await load.stop();
  if (load.mended > 0)
    say(`${load.mended} requests failed by faults of ${from.name} that are mended in this release`);
  say(
    `the load has ended: ${told()}; ${load.answeredEarly} held requests were answered early and asked again`,
  );
  for (const { service, ended } of replicas)
    if (ended() !== undefined) faults.push(`a new ${service} ended with ${ended()}`);
  const verified = await verifyAll(to, servers, load, receiver);
  faults.push(...verified.faults);
  if (load.failed > 0) faults.push(`${load.failed} requests failed`);
  for (const fault of faults) say(`FAULT: ${fault}`);
  say(`${verified.said}; ${faults.length === 0 ? 'no fault' : `${faults.length} faults`}`);
  return faults.length === 0;
}

/** How failures read that the older release causes while that part is exchanged; undefined when it causes none. */
async function faultOf(release, part) {
  const known = mended.find(({ exchanged }) => exchanged === part);
  return known === undefined || (await release.contains(...known.by)) ? undefined : known.fault;
}

/** As Kubernetes does: out of the Service, a pause in which some nodes do not know it yet, SIGTERM. */
async function stop(replica, balancer) {
  if (replica.service === 'gateway') {
    await pause(preStopMs / 2);
    balancer.remove(replica.port);
    await pause(preStopMs / 2);
  }
  return replica.stop();
}

/** Policies and a channel, in force on every replica. */
async function furnish(load, receiverUrl) {
  const as = { key: load.credentials.admin.api_key };
  const policy = (name, action_type, effect) =>
    load.insist('POST', '/api/v1/policies', [201, 409], { ...as, body: { name, action_type, effect } });
  await policy('lets', 'let.me', 'allow');
  await policy('asks', 'ask.me', 'require_approval');
  await load.insist('POST', '/api/v1/channels', 201, {
    ...as,
    body: { type: 'webhook', name: 'outcomes', url: receiverUrl, events: ['approval.approved'] },
  });
  for (let n = 0; n < 20; n++)
    await load.insist('POST', '/api/v1/actions', 200, { body: { action_type: 'let.me' } });
}
