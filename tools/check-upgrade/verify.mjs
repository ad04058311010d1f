// What must hold after the exchange, read with the code of the new release.
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

/** @returns the faults that were found, as sentences */
export async function verifyAll(release, servers, load, receiver) {
  const faults = [];
  const log = await settledLog(release, load);
  const times = new Map();
  for (const { id, type, approval_id: approval } of log.entries) {
    times.set(id, (times.get(id) ?? 0) + 1);
    if (/^approval\.(opened|approved)$/.test(type)) {
      const key = `${type} ${approval}`;
      times.set(key, (times.get(key) ?? 0) + 1);
    }
  }
  const once = (what, keys) => {
    const wrong = [...keys].filter((key) => times.get(key) !== 1);
    if (wrong.length > 0)
      faults.push(
        `${wrong.length} of ${keys.size} ${what} are not in the log exactly once, such as ${wrong[0]} (${times.get(wrong[0]) ?? 0} times)`,
      );
  };
  once('answered submissions', load.submitted);
  once('opened requests', new Set([...load.opened].map((id) => `approval.opened ${id}`)));
  once('decisions', new Set([...load.opened].map((id) => `approval.approved ${id}`)));
  if (log.verdict.ok !== true) faults.push(`the log does not verify: ${JSON.stringify(log.verdict)}`);
  const deliveries = await settledDeliveries(load, receiver);
  faults.push(...deliveries.faults);
  const events = await replayAll(release, servers);
  return {
    faults,
    said:
      `${load.submitted.size} submissions and ${load.opened.size} decisions are in the log once; ` +
      `its ${log.entries.length} entries verify; ${deliveries.said}; ${events} stored events were read again`,
  };
}

/** The log as an auditor reads it, once it has the last decision. */
async function settledLog(release, load) {
  const { createVerifier, parseEntry, parseVerifierKey } = await release.library('ledger');
  const get = async (path) => {
    const answer = await fetch(load.baseUrl + path, {
      headers: { authorization: `Bearer ${load.credentials.admin.api_key}` },
    });
    if (!answer.ok) throw new Error(`GET ${path} answered ${answer.status}: ${await answer.text()}`);
    return answer.text();
  };
  const lines = [];
  const entries = [];
  const decided = new Set();
  for (const until = Date.now() + 60_000; ; await pause(500)) {
    const page = (await get(`/api/v1/audit/entries?from=${lines.length}&limit=1000`))
      .split('\n')
      .filter(Boolean);
    for (const line of page) {
      lines.push(Buffer.from(line));
      const entry = parseEntry(lines.at(-1));
      entries.push(entry);
      if (entry.type === 'approval.approved') decided.add(entry.approval_id);
    }
    const missing = [...load.opened].some((id) => !decided.has(id));
    if (page.length === 0 && (!missing || Date.now() > until)) break;
  }
  const trusted = [parseVerifierKey((await get('/api/v1/audit/key')).trim())];
  let checkpoint = '';
  // The last entries are signed within a second.
  for (const until = Date.now() + 30_000; Date.now() < until; await pause(500)) {
    checkpoint = await get('/api/v1/audit/checkpoint');
    if (Number(checkpoint.split('\n')[1]) >= lines.length) break;
  }
  const verifier = createVerifier();
  for (const line of lines.slice(0, Number(checkpoint.split('\n')[1]))) verifier.push(line);
  return { entries, verdict: verifier.finish({ checkpoints: [checkpoint], trusted }) };
}

/** Each decision reaches the receiver; what is sent again has the id of the first time. */
async function settledDeliveries(load, receiver) {
  const ids = new Map();
  const read = () => {
    ids.clear();
    for (const { event, headers } of receiver.got)
      ids.set(event.subject, (ids.get(event.subject) ?? new Set()).add(headers['webhook-id']));
  };
  const missing = () => [...load.opened].filter((id) => !ids.has(id));
  for (const until = Date.now() + 60_000; Date.now() < until; await pause(500)) {
    read();
    if (missing().length === 0) break;
  }
  const faults = [];
  const twice = [...ids].filter(([, of]) => of.size > 1);
  if (missing().length > 0) faults.push(`${missing().length} decisions were never delivered`);
  if (twice.length > 0) faults.push(`${twice.length} decisions have two deliveries`);
  const repeated = receiver.got.length - ids.size;
  return {
    faults,
    said: `${ids.size} deliveries arrived${repeated > 0 ? `, ${repeated} of them again` : ''}`,
  };
}

/** Reads every event of every service by the new release's schemas. @throws when one is not readable */
async function replayAll(release, { backends }) {
  const { serviceNames } = await release.library('contracts');
  const { replay } = await release.library('event-store');
  const pg = createRequire(join(release.root, 'package.json'))('pg');
  let count = 0;
  for (const service of serviceNames.filter((name) => name !== 'audit-ledger')) {
    const pool = new pg.Pool({ connectionString: backends.database.of(service).url, max: 1 });
    try {
      for (let after = 0, head = 1; after < head;) {
        const page = await replay(pool, service, { after_gpos: after, limit: 500 });
        count += page.events.length;
        [after, head] = [page.through_gpos, page.head_gpos];
      }
    } finally {
      await pool.end();
    }
  }
  return count;
}
