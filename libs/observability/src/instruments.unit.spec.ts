import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Instrument, instruments, prometheusNames } from './index.js';

const root = join(import.meta.dirname, '..', '..', '..');
const table: Readonly<Record<string, Instrument>> = instruments;

/** The sources of the services and libraries, without tests and the table itself. */
const sources = ['apps', 'libs']
  .flatMap((folder) => readdirSync(join(root, folder)).map((name) => join(root, folder, name, 'src')))
  .flatMap((folder) =>
    readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter((name) => /(?<!\.spec|\.d)\.ts$/.test(name) && name !== 'instruments.ts')
      .map((name) => readFileSync(join(folder, name), 'utf8')),
  )
  .join('\n');

describe.each(Object.entries(table))('%s', (name, { kind, unit, buckets, labels, description }) => {
  it('is recorded by some service', () => {
    expect(sources).toContain(`'${name}'`);
  });

  it('has a unit of OpenTelemetry and a description', () => {
    expect(unit).toMatch(/^(s|By|1|\{[a-z]+\})$/);
    expect(description).toMatch(/^[A-Z\d].{10}/);
  });

  it('has buckets of its own if it is a histogram', () => {
    expect(buckets !== undefined).toBe(kind === 'histogram');
    expect([...(buckets ?? [])].sort((a, b) => a - b)).toEqual(buckets ?? []);
  });

  it('has no label whose values grow with use', () => {
    for (const [label, rule] of Object.entries(labels)) {
      expect(label).not.toMatch(/(^|[._])(id|org|workspace|agent|member|policy|subject|action_type|error)$/);
      if (Array.isArray(rule)) expect(rule.length).toBeLessThan(20);
      else expect(String(rule)).toMatch(/^\/\^.*\$\/$/);
    }
  });
});

it.each([
  ['http.server.request.duration', ['http_server_request_duration_seconds_bucket']],
  ['agentlattice.action', ['agentlattice_action_total']],
  ['agentlattice.approval.pending', ['agentlattice_approval_pending']],
  ['agentlattice.relay.lag', ['agentlattice_relay_lag_seconds']],
  ['nodejs.eventloop.utilization', ['nodejs_eventloop_utilization_ratio']],
  ['process.memory.usage', ['process_memory_usage_bytes']],
  ['agentlattice.ledger.batch.size', ['agentlattice_ledger_batch_size_bucket']],
] as const)('%s has the name that the collector gives it in Prometheus', (name, expected) => {
  expect(prometheusNames(name, instruments[name])).toEqual(expect.arrayContaining([...expected]));
});
