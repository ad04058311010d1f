// This system, whole: five services, PostgreSQL and NATS, on throw-away data.
import { services } from '../checkout.mjs';
import { cpuSecondsOf, pssOf } from '../process.mjs';
import { policies } from '../workload.mjs';

const agents = 10;

export async function startOurSystem(checkout, { cpuProfileDir, env: given = {} } = {}) {
  const profiled = cpuProfileDir ? { NODE_OPTIONS: `--cpu-prof --cpu-prof-dir=${cpuProfileDir}` } : {};
  const env = { ...given, ...profiled };
  const { startStack } = await checkout.library('testkit');
  const stack = await startStack({ samplePolicy: false, env });
  try {
    await stack.startServices();
    return { ...(await furnished(stack, checkout)), stop: () => stop(stack, cpuProfileDir) };
  } catch (error) {
    console.error(stack.printed.slice(-30).join('\n'));
    await stack.stop();
    throw error;
  }
}

/** With policies and agents of the bench. */
export async function furnished(stack, checkout) {
  const { credentials, baseUrl } = stack;
  const send = async (path, key, body) => {
    const answer = await fetch(baseUrl + path, {
      method: 'POST',
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    if (!answer.ok) throw new Error(`POST ${path} answered ${answer.status}: ${await answer.text()}`);
    return answer.json();
  };
  for (const policy of policies)
    await send('/api/v1/policies', credentials.admin.api_key, {
      name: policy.service,
      action_type: `${policy.service}.deploy${policy.prefix ? '.*' : ''}`,
      effect: policy.effect,
      ...(policy.conditions ? { conditions: policy.conditions, on_fail: 'deny' } : {}),
    });
  const keys = [];
  for (let i = 0; i < agents; i++)
    keys.push((await send('/api/agents/register', credentials.service_key, { name: `bench-${i}` })).api_key);

  return {
    name: checkout.name,
    version: checkout.version,
    durability: await durability(stack, checkout),
    url: baseUrl,
    message: ({ service, operation, metadata, data_accessed }, i) => ({
      path: '/api/v1/actions',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${keys[i % keys.length]}` },
      body: JSON.stringify({ action_type: `${service}.${operation}`, metadata, data_accessed }),
    }),
    verdictOf: (answer) =>
      ({ executed: 'executed', denied: 'denied', requested: 'requested' })[answer.status],
    eventOf: (answer) => answer.audit_event_id,
    pss: () => perServer(stack, pssOf),
    cpu: () => perServer(stack, cpuSecondsOf),
    audit: () => audit(baseUrl, credentials.admin.api_key, checkout),
  };
}

/** A process writes its profile when it ends by itself. */
async function stop(stack, cpuProfileDir) {
  if (cpuProfileDir !== undefined) for (const service of services) await stack.halt(service);
  await stack.stop();
}

/** A figure of each process of a stack. */
export async function perServer(stack, measure) {
  const running = [...services, 'postgres', 'nats', 'redis']
    .map((name) => [name, pidOf(stack, name)])
    .filter(([, pid]) => pid !== undefined);
  return Object.fromEntries(
    await Promise.all(running.map(async ([name, pid]) => [name, await measure(pid)])),
  );
}

function pidOf(stack, name) {
  try {
    return stack.pid(name);
  } catch {
    return undefined;
  }
}

/** Asked of the running server, not assumed. */
export async function durability(stack, checkout) {
  const pg = checkout.require('pg');
  const client = new pg.Client({ connectionString: stack.databaseUrl('audit-ledger') });
  await client.connect();
  const shown = {};
  for (const setting of ['synchronous_commit', 'fsync', 'wal_sync_method', 'server_version'])
    shown[setting] = Object.values((await client.query(`SHOW ${setting}`)).rows[0])[0];
  await client.end();
  return `on disk before the answer: PostgreSQL ${shown.server_version}, synchronous_commit=${shown.synchronous_commit}, fsync=${shown.fsync} (${shown.wal_sync_method}); hash-chained log`;
}

/** Reads the whole log as an auditor would, and verifies it against its signed checkpoint. */
async function audit(baseUrl, key, checkout) {
  const { createVerifier, parseVerifierKey } = await checkout.library('ledger');
  const get = async (path) => {
    const answer = await fetch(baseUrl + path, { headers: { authorization: `Bearer ${key}` } });
    if (!answer.ok) throw new Error(`GET ${path} answered ${answer.status}: ${await answer.text()}`);
    return answer.text();
  };
  const trusted = [parseVerifierKey((await get('/api/v1/audit/key')).trim())];
  const checkpoint = await get('/api/v1/audit/checkpoint');
  const size = Number(checkpoint.split('\n')[1]);
  const verifier = createVerifier();
  const ids = new Set();
  for (let from = 0; from < size;) {
    const lines = (await get(`/api/v1/audit/entries?from=${from}&limit=1000`)).split('\n').filter(Boolean);
    if (lines.length === 0) throw new Error(`the log ends at ${from} of ${size}`);
    for (const line of lines.slice(0, size - from)) {
      verifier.push(Buffer.from(line));
      const { id, type } = JSON.parse(line);
      if (/^action\.(executed|denied|requested)$/.test(type)) ids.add(id);
    }
    from += lines.length;
  }
  const verdict = verifier.finish({ checkpoints: [checkpoint], trusted });
  return { verdict, ids };
}
