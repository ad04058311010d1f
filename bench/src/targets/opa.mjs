// OPA with its console decision log, sent to a file. Built by Go where that is on PATH.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { cpuSecondsOf, freePort, pssOf, startServer, until } from '../process.mjs';
import { policies } from '../workload.mjs';

const version = '1.22.2';
const cache = new URL('../../.cache', import.meta.url).pathname;

/** The binary, or a sentence about why there is none. */
export async function findOpa() {
  const binary = join(cache, `opa-${version}`, 'opa');
  if (existsSync(binary)) return { binary };
  if (spawnSync('go', ['version']).status !== 0) return { missing: 'Go is not on PATH' };
  console.error(`Building OPA ${version} with Go (once; this takes minutes) …`);
  await mkdir(join(cache, `opa-${version}`), { recursive: true });
  const built = spawnSync('go', ['install', `github.com/open-policy-agent/opa@v${version}`], {
    env: { ...process.env, GOBIN: join(cache, `opa-${version}`) },
    stdio: ['ignore', 'ignore', 'pipe'],
    encoding: 'utf8',
  });
  return built.status === 0
    ? { binary }
    : { missing: `go install failed: ${built.stderr.split('\n').at(-2)}` };
}

function rules({ service, effect, prefix, conditions = [] }) {
  const match = prefix
    ? `startswith(input.action_type, "${service}.deploy.")`
    : `input.action_type == "${service}.deploy"`;
  const verdict = {
    allow: 'executed',
    conditional: 'executed',
    deny: 'denied',
    require_approval: 'requested',
  }[effect];
  const tests = conditions.map(({ field, operator, value }) => {
    const left = `input.metadata.${field}`;
    const right = JSON.stringify(value);
    return { lt: `${left} < ${right}`, eq: `${left} == ${right}`, in: `${left} in ${right}` }[operator];
  });
  if (tests.length === 0) return `verdict := "${verdict}" if ${match}\n`;
  return `holds_${service} if {\n\t${tests.join('\n\t')}\n}\n
verdict := "executed" if {\n\t${match}\n\tholds_${service}\n}\n
verdict := "denied" if {\n\t${match}\n\tnot holds_${service}\n}\n`;
}

export async function startOpa(folder, binary) {
  const port = await freePort();
  const rego = join(folder, 'bench.rego');
  await writeFile(
    rego,
    `package bench\n\ndefault verdict := "not_found"\n\n${policies.map(rules).join('\n')}`,
  );
  const config = join(folder, 'opa.json');
  await writeFile(config, JSON.stringify({ decision_logs: { console: true } }));
  const log = join(folder, 'opa-decisions.log');
  const server = startServer(
    binary,
    [
      'run',
      '--server',
      `--addr=127.0.0.1:${port}`,
      `--config-file=${config}`,
      '--log-level=error',
      '--disable-telemetry',
      rego,
    ],
    { log },
  );
  const url = `http://127.0.0.1:${port}`;
  await until('OPA answers', async () => (await fetch(`${url}/health`)).ok);
  return {
    name: 'opa',
    version,
    durability: 'a line on its console, which is a file here, not synced; one process, no database',
    url,
    message: ({ service, operation, metadata, data_accessed }) => ({
      path: '/v1/data/bench/verdict',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        input: { action_type: `${service}.${operation}`, agent: { id: 'bench' }, metadata, data_accessed },
      }),
    }),
    verdictOf: (answer) => answer.result,
    logged: async () => {
      let count = 0;
      for await (const line of createInterface({ input: createReadStream(log) }))
        if (line.includes('decision_id')) count++;
      return count;
    },
    pss: async () => ({ opa: await pssOf(server.pid) }),
    cpu: async () => ({ opa: await cpuSecondsOf(server.pid) }),
    stop: () => server.stop(),
  };
}
