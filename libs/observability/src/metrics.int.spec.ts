import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { eventually } from '@agentlattice/testkit';
import { count, inSpan, measure, observe, recordsMetrics, startTelemetry, type Telemetry } from './index.js';

interface Metric {
  readonly name: string;
  readonly unit: string;
  readonly gauge?: { readonly dataPoints: readonly { asDouble: number; attributes: unknown }[] };
  readonly sum?: {
    readonly dataPoints: readonly { asDouble: number; attributes: { key: string; value: unknown }[] }[];
  };
  readonly histogram?: { readonly dataPoints: readonly { explicitBounds: number[]; count: number }[] };
}
interface Exported {
  readonly resourceMetrics: readonly { readonly scopeMetrics: readonly { readonly metrics: Metric[] }[] }[];
}

describe('metrics', () => {
  let collector: Server;
  let telemetry: Telemetry;
  const before = { ...process.env };
  let exports = 0;
  let newest: readonly Metric[] = [];
  const listen = (port: number) =>
    new Promise<void>((resolve) => void collector.listen(port, '127.0.0.1', resolve));
  const stop = () => {
    collector.closeAllConnections();
    return new Promise((resolve) => collector.close(resolve));
  };
  const metric = (name: string) => newest.find((one) => one.name === name);
  beforeAll(async () => {
    collector = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        if (request.url === '/v1/metrics') {
          const { resourceMetrics } = JSON.parse(Buffer.concat(chunks).toString()) as Exported;
          newest = resourceMetrics.flatMap((one) => one.scopeMetrics.flatMap(({ metrics }) => metrics));
          exports += 1;
        }
        response.end();
      });
    });
    await listen(0);
    const { port } = collector.address() as AddressInfo;
    Object.assign(process.env, {
      OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${String(port)}`,
      OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json',
      OTEL_EXPORTER_OTLP_TIMEOUT: '90',
      OTEL_METRIC_EXPORT_INTERVAL: '100',
      OTEL_METRIC_EXPORT_TIMEOUT: '90',
      OTEL_TRACES_SAMPLER: 'always_on',
      OTEL_BSP_MAX_QUEUE_SIZE: '64',
      OTEL_BSP_MAX_EXPORT_BATCH_SIZE: '32',
      OTEL_BSP_SCHEDULE_DELAY: '50',
    });
    expect(recordsMetrics()).toBe(false);
    telemetry = await startTelemetry('notifier');
  });
  afterAll(async () => {
    await telemetry.shutdown();
    process.env = before;
    if (collector.listening) await stop();
  });

  it('reach the collector: a gauge is read at each export, a histogram has buckets for its unit', async () => {
    let reads = 0;
    const end = observe('agentlattice.relay.lag', async () => {
      reads += 1;
      await Promise.resolve();
      return [{ value: 12.5, labels: { relay: 'notifier' as const } }];
    });
    const unread = observe('agentlattice.approval.overdue', () => Promise.reject(new Error('no database')));
    count('agentlattice.action', { verdict: 'denied', denial_reason: 'POLICY_DENIED' });
    measure('agentlattice.approval.wait', 42, { outcome: 'approved', via: 'api' });
    await eventually(() => metric('agentlattice.relay.lag') !== undefined);
    expect(metric('agentlattice.relay.lag')?.gauge?.dataPoints).toMatchObject([
      { asDouble: 12.5, attributes: [{ key: 'relay', value: { stringValue: 'notifier' } }] },
    ]);
    expect(metric('agentlattice.action')).toMatchObject({
      unit: '{action}',
      sum: { isMonotonic: true, dataPoints: [{ asDouble: 1 }] },
    });
    const [wait] = metric('agentlattice.approval.wait')?.histogram?.dataPoints ?? [];
    expect(wait?.explicitBounds.slice(0, 3)).toEqual([5, 15, 30]);
    // A gauge that cannot be read is left out and does not hold up the others.
    expect(metric('agentlattice.approval.overdue')?.gauge?.dataPoints ?? []).toEqual([]);
    expect(metric('nodejs.eventloop.utilization')?.gauge?.dataPoints).toHaveLength(1);
    expect(metric('process.memory.usage')?.gauge?.dataPoints[0]?.asDouble).toBeGreaterThan(1e6);
    end();
    unread();
    const last = reads;
    const sofar = exports;
    await eventually(() => exports > sofar + 2);
    expect(reads).toBeLessThanOrEqual(last + 1);
  });

  it('while the collector is away the work goes on, spans are dropped from a bounded queue, and counted', async () => {
    const { port } = collector.address() as AddressInfo;
    await stop();
    for (let i = 0; i < 1_000; i += 1) await inSpan('work', {}, () => i);
    count('agentlattice.escalation.fired', {}, 1_000);
    await listen(port);
    const dropped = await eventually(() =>
      metric('otel.sdk.processor.span.processed')?.sum?.dataPoints.find(({ attributes }) =>
        JSON.stringify(attributes).includes('queue_full'),
      ),
    );
    expect(dropped.asDouble).toBeGreaterThan(500);
    // Nothing that was counted is lost: sums go on from where they were.
    await eventually(() => metric('agentlattice.escalation.fired')?.sum?.dataPoints[0]?.asDouble === 1_000);
  });
});
