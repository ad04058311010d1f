// One burst of load: wrk where it is on PATH (it takes the least of the shared cores), else autocannon.
import { spawnSync } from 'node:child_process';
import { execFile } from 'node:child_process';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
export const loader = spawnSync('wrk', ['--version']).error === undefined ? 'wrk' : 'autocannon';

/**
 * @param messages what to send, in turn: `{path, headers, body}`
 * @returns {Promise<{requests: number, seconds: number, rate: number, p50: number, p99: number, errors: number}>} times in ms
 */
export function burst(url, messages, options) {
  return loader === 'wrk' ? byWrk(url, messages, options) : byAutocannon(url, messages, options);
}

const lua = (text) => `[=====[${text}]=====]`;

async function byWrk(url, messages, { connections, seconds }) {
  const script = join(await mkdtemp(join(tmpdir(), 'al-bench-')), 'messages.lua');
  const made = messages.map(({ path, headers, body }) => {
    const table = Object.entries(headers).map(([name, value]) => `[ ${lua(name)} ]=${lua(value)}`);
    return `  wrk.format("POST", ${lua(path)}, {${table.join(',')}}, ${lua(body)})`;
  });
  await writeFile(
    script,
    `local messages = {}
init = function() messages = {\n${made.join(',\n')}\n} end
local at = 0
request = function()
  at = at % ${String(messages.length)} + 1
  return messages[at]
end
done = function(summary, latency)
  local e = summary.errors
  io.write(string.format('\\nRESULT {"requests":%d,"us":%d,"p50":%d,"p99":%d,"errors":%d}\\n', summary.requests, summary.duration,
    latency:percentile(50), latency:percentile(99), e.connect + e.read + e.write + e.status + e.timeout))
end\n`,
  );
  const { stdout } = await run('wrk', [
    ...['-t1', `-c${String(connections)}`, `-d${String(seconds)}s`, '--timeout', '10s', '-s', script, url],
  ]);
  const { requests, us, p50, p99, errors } = JSON.parse(/RESULT (.*)/.exec(stdout)[1]);
  return {
    requests,
    seconds: us / 1e6,
    rate: Math.round(requests / (us / 1e6)),
    p50: p50 / 1_000,
    p99: p99 / 1_000,
    errors,
  };
}

async function byAutocannon(url, messages, { connections, seconds }) {
  const { default: autocannon } = await import('autocannon');
  const result = await autocannon({
    url,
    connections,
    duration: seconds,
    requests: messages.map(({ path, headers, body }) => ({ method: 'POST', path, headers, body })),
  });
  const requests = result.requests.total;
  return {
    requests,
    seconds: result.duration,
    rate: Math.round(requests / result.duration),
    // Whole milliseconds: autocannon keeps no finer ones.
    p50: result.latency.p50,
    p99: result.latency.p99,
    errors: result.errors + result.non2xx,
  };
}
