// Cerbos with its file decision log.
import { mkdir, writeFile } from 'node:fs/promises';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { cpuSecondsOf, freePort, pssOf, startServer, until } from '../process.mjs';
import { policies } from '../workload.mjs';

// The binary itself: npm's wrapper would pass no signal on to it.
const platform = `${process.platform}-${process.arch}`;
const command = new URL(`../../node_modules/@cerbos/cerbos-${platform}/cerbos-${platform}`, import.meta.url)
  .pathname;
const cel = { lt: '<', eq: '==', in: 'in' };

const rule = ({ effect, prefix, conditions }) => ({
  actions: [prefix ? 'deploy.*' : 'deploy'],
  effect: effect === 'deny' ? 'EFFECT_DENY' : 'EFFECT_ALLOW',
  roles: ['agent'],
  ...(conditions && {
    condition: {
      match: {
        all: {
          of: conditions.map(({ field, operator, value }) => ({
            expr: `R.attr.${field} ${cel[operator]} ${JSON.stringify(value)}`,
          })),
        },
      },
    },
  }),
  // Cerbos knows allow and deny; who needs a person says so in an output.
  ...(effect === 'require_approval' && { output: { when: { ruleActivated: '"ask"' } } }),
});

export async function startCerbos(folder) {
  const [http, grpc] = [await freePort(), await freePort()];
  const store = join(folder, 'cerbos-policies');
  const decisions = join(folder, 'cerbos-decisions.log');
  await mkdir(store, { recursive: true });
  for (const policy of policies)
    await writeFile(
      join(store, `${policy.service}.json`),
      JSON.stringify({
        apiVersion: 'api.cerbos.dev/v1',
        resourcePolicy: { resource: policy.service, version: 'default', rules: [rule(policy)] },
      }),
    );
  const config = join(folder, 'cerbos.yaml');
  await writeFile(
    config,
    JSON.stringify({
      server: { httpListenAddr: `127.0.0.1:${http}`, grpcListenAddr: `127.0.0.1:${grpc}` },
      storage: { driver: 'disk', disk: { directory: store, watchForChanges: false } },
      audit: {
        enabled: true,
        accessLogsEnabled: false,
        decisionLogsEnabled: true,
        backend: 'file',
        file: { path: decisions },
      },
      telemetry: { disabled: true },
    }),
  );
  const server = startServer(command, ['server', `--config=${config}`, '--log-level=warn'], {
    log: join(folder, 'cerbos.log'),
  });
  const url = `http://127.0.0.1:${http}`;
  await until('Cerbos answers', async () => (await fetch(`${url}/_cerbos/health`)).ok);
  return {
    name: 'cerbos',
    version: '0.51.0',
    durability: 'a line in a file, not synced (its file audit backend); one process, no database',
    url,
    message: ({ service, operation, metadata, data_accessed }, i) => ({
      path: '/api/check/resources',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        requestId: `r${i}`,
        principal: { id: `bench-${i % 10}`, roles: ['agent'] },
        resources: [
          {
            actions: [operation],
            resource: { kind: service, id: `r${i}`, attr: { ...metadata, data_accessed } },
          },
        ],
      }),
    }),
    verdictOf: ({ results: [result] }) => {
      if (!Object.values(result.actions).every((effect) => effect === 'EFFECT_ALLOW')) return 'denied';
      return result.outputs?.some((output) => output.val === 'ask') ? 'requested' : 'executed';
    },
    logged: async () => (await readFile(decisions, 'utf8')).split('\n').filter(Boolean).length,
    pss: async () => ({ cerbos: await pssOf(server.pid) }),
    cpu: async () => ({ cerbos: await cpuSecondsOf(server.pid) }),
    stop: () => server.stop(),
  };
}
