import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

type Attributes = Readonly<Record<string, unknown>>;

export interface Span {
  readonly service: string;
  readonly name: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string;
  readonly links: readonly { readonly traceId: string; readonly spanId: string }[];
  readonly attributes: Attributes;
  readonly startedAt: number;
  readonly endedAt: number;
}

export interface Point {
  readonly service: string;
  readonly labels: Attributes;
  /** Of a gauge or counter; of a histogram the number of measurements. */
  readonly value: number;
}

export interface OtlpReceiver {
  /** The environment of a service that sends everything here, without delay. */
  readonly env: NodeJS.ProcessEnv;
  readonly spans: readonly Span[];
  /** The newest points of each metric of each service. */
  points(name: string): readonly Point[];
  metricNames(): ReadonlySet<string>;
  stop(): Promise<void>;
}

interface Named {
  readonly key: string;
  readonly value: {
    readonly stringValue?: string;
    readonly intValue?: string | number;
    readonly boolValue?: boolean;
  };
}
type OtlpSpan = Omit<Span, 'service' | 'attributes' | 'links' | 'startedAt' | 'endedAt'> & {
  readonly attributes?: Named[];
  readonly links?: Span['links'];
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
};
interface OtlpPoint {
  readonly attributes: Named[];
  readonly asDouble?: number;
  readonly asInt?: number | string;
  readonly count?: number | string;
}
interface OtlpMetric {
  readonly name: string;
  readonly gauge?: { readonly dataPoints: OtlpPoint[] };
  readonly sum?: { readonly dataPoints: OtlpPoint[] };
  readonly histogram?: { readonly dataPoints: OtlpPoint[] };
}
interface Resource {
  readonly resource: { readonly attributes: Named[] };
}
interface Request {
  readonly resourceSpans?: readonly (Resource & { readonly scopeSpans: { readonly spans: OtlpSpan[] }[] })[];
  readonly resourceMetrics?: readonly (Resource & {
    readonly scopeMetrics: { readonly metrics: OtlpMetric[] }[];
  })[];
}

const attributesOf = (named: readonly Named[] = []): Attributes =>
  Object.fromEntries(
    named.map(({ key, value }) => [key, value.stringValue ?? value.boolValue ?? value.intValue]),
  );
const serviceOf = ({ resource }: Resource) =>
  String(attributesOf(resource.attributes)['service.name']).replace(/^agentlattice-/, '');

/** A receiver of OpenTelemetry's protocol (OTLP over HTTP, as JSON) that keeps what it gets. */
export async function otlpReceiver(): Promise<OtlpReceiver> {
  const spans: Span[] = [];
  const metrics = new Map<string, Map<string, readonly Point[]>>();
  const take = ({ resourceSpans = [], resourceMetrics = [] }: Request) => {
    for (const one of resourceSpans)
      for (const {
        attributes,
        links = [],
        startTimeUnixNano,
        endTimeUnixNano,
        ...span
      } of one.scopeSpans.flatMap((scope) => scope.spans))
        spans.push({
          ...span,
          parentSpanId: span.parentSpanId,
          links,
          service: serviceOf(one),
          attributes: attributesOf(attributes),
          startedAt: Number(startTimeUnixNano),
          endedAt: Number(endTimeUnixNano),
        });
    for (const one of resourceMetrics) {
      const service = serviceOf(one);
      for (const { name, gauge, sum, histogram } of one.scopeMetrics.flatMap((scope) => scope.metrics)) {
        const ofService = metrics.get(name) ?? new Map<string, readonly Point[]>();
        metrics.set(name, ofService);
        ofService.set(
          service,
          ((gauge ?? sum ?? histogram)?.dataPoints ?? []).map(({ attributes, asDouble, asInt, count }) => ({
            service,
            labels: attributesOf(attributes),
            value: Number(asDouble ?? asInt ?? count ?? Number.NaN),
          })),
        );
      }
    }
  };
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      take(JSON.parse(Buffer.concat(chunks).toString()) as Request);
      response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    env: {
      OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${String(port)}`,
      OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json',
      OTEL_TRACES_SAMPLER: 'parentbased_always_on',
      OTEL_BSP_SCHEDULE_DELAY: '100',
      OTEL_METRIC_EXPORT_INTERVAL: '500',
      OTEL_METRIC_EXPORT_TIMEOUT: '400',
    },
    spans,
    points: (name) => [...(metrics.get(name)?.values() ?? [])].flat(),
    metricNames: () => new Set(metrics.keys()),
    stop: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
