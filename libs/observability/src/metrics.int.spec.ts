import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { eventually } from '@agentlattice/testkit';
import { observeSeconds, startTelemetry, type Telemetry } from './index.js';

describe('metrics', () => {
  let collector: Server;
  let telemetry: Telemetry;
  const before = { ...process.env };
  const received: string[] = [];
  beforeAll(async () => {
    collector = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        received.push(`${request.url ?? ''} ${Buffer.concat(chunks).toString('latin1')}`);
        response.end();
      });
    });
    await new Promise<void>((resolve) => collector.listen(0, '127.0.0.1', resolve));
    const { port } = collector.address() as AddressInfo;
    process.env['OTEL_EXPORTER_OTLP_ENDPOINT'] = `http://127.0.0.1:${String(port)}`;
    process.env['OTEL_EXPORTER_OTLP_COMPRESSION'] = 'none';
    process.env['OTEL_METRIC_EXPORT_INTERVAL'] = '100';
    process.env['OTEL_METRIC_EXPORT_TIMEOUT'] = '90';
    telemetry = await startTelemetry('notifier');
  });
  afterAll(async () => {
    await telemetry.shutdown();
    process.env = before;
    await new Promise((resolve) => collector.close(resolve));
  });

  it('reach the collector: a gauge is read at each export, with what tells its values apart', async () => {
    let reads = 0;
    const end = observeSeconds('agentlattice.relay.lag', 'how old', () => {
      reads += 1;
      return [{ seconds: 12.5, attributes: { relay: 'notifier' } }];
    });
    const sent = await eventually(() =>
      received.find((text) => text.startsWith('/v1/metrics') && text.includes('agentlattice.relay.lag')),
    );
    expect(sent).toContain('notifier');
    const body = Buffer.from(sent, 'latin1');
    const value = Buffer.alloc(8);
    value.writeDoubleLE(12.5);
    expect(body.includes(value)).toBe(true);
    end();
    const last = reads;
    const exports = received.length;
    await eventually(() => received.length > exports + 2);
    expect(reads).toBeLessThanOrEqual(last + 1);
  });
});
