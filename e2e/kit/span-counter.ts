import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type ServiceName, serviceNames } from '@agentlattice/contracts';

/** A collector that only notes which replica sent spans, that is, did work. */
export interface SpanCounter {
  /** The environment of the replicas of that name: `first` or `second`. */
  environmentOf(replica: string): NodeJS.ProcessEnv;
  /** `first gateway` and the like, sorted. */
  working(): string[];
  stop(): Promise<void>;
}

export async function spanCounter(): Promise<SpanCounter> {
  const seen = new Set<string>();
  const server = createServer((request, response) => {
    let body = '';
    // Names are plain text in the protocol, which is binary otherwise.
    request.setEncoding('latin1').on('data', (text: string) => (body += text));
    request.on('end', () => {
      const [, replica = ''] = (request.url ?? '').split('/');
      const service = serviceNames.find((name: ServiceName) => body.includes(`agentlattice-${name}`));
      if (service !== undefined) seen.add(`${replica} ${service}`);
      response.end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    environmentOf: (replica) => ({
      OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${String(port)}/${replica}`,
      OTEL_EXPORTER_OTLP_COMPRESSION: 'none',
      OTEL_METRICS_EXPORTER: 'none',
      OTEL_BSP_SCHEDULE_DELAY: '200',
    }),
    working: () => [...seen].sort(),
    stop: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
