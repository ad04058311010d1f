import { serviceNames } from '@agentlattice/contracts';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';

const root = join(import.meta.dirname, '..', '..', '..');
const library = join(root, 'libs', 'observability', 'dist', 'index.js');

// Prints at the end which modules of OpenTelemetry the process loaded.
const watched = `
  import { registerHooks } from 'node:module';
  const loaded = new Set();
  registerHooks({
    resolve(specifier, context, next) {
      const found = next(specifier, context);
      const [, name] = /node_modules\\/(@opentelemetry\\/[^/]+)/.exec(found.url) ?? [];
      if (name !== undefined) loaded.add(name);
      return found;
    },
  });
  process.on('exit', () => console.log('loaded ' + JSON.stringify([...loaded])));
`;

async function loadedBy(args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<string[]> {
  const hook = `data:text/javascript,${encodeURIComponent(watched)}`;
  // A service without configuration ends with code 1; what it imports is loaded by then.
  const { stdout } = await promisify(execFile)(process.execPath, ['--import', hook, ...args], {
    cwd: root,
    env: { PATH: process.env['PATH'], ...env },
  }).catch((error: unknown) => error as { stdout: string });
  return JSON.parse(/loaded (.*)/.exec(stdout)?.[1] ?? 'null') as string[];
}

const inOneSpan = (service: string) => [
  '--input-type=module',
  '-e',
  `const { startTelemetry, inSpan, currentTraceparent } = await import(${JSON.stringify(library)});
   const telemetry = await startTelemetry(${JSON.stringify(service)});
   await inSpan('one', { traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' }, () => currentTraceparent());
   await telemetry.shutdown();`,
];

async function unusedEndpoint(): Promise<string> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  return `http://127.0.0.1:${String(port)}`;
}

describe('telemetry', () => {
  let collector: Server;
  const received: { path: string | undefined; body: Buffer }[] = [];
  let endpoint: string;
  beforeAll(async () => {
    collector = createServer((request, response) => {
      const parts: Buffer[] = [];
      request.on('data', (part: Buffer) => parts.push(part));
      request.on('end', () => {
        received.push({ path: request.url, body: Buffer.concat(parts) });
        response.end();
      });
    }).listen(0, '127.0.0.1');
    await once(collector, 'listening');
    endpoint = `http://127.0.0.1:${String((collector.address() as AddressInfo).port)}`;
  });
  afterAll(() => {
    collector.close();
  });

  it.each(serviceNames)('is no part of what the %s loads when it starts', async (service) => {
    expect(await loadedBy([`apps/${service}/dist/bundle/main.js`])).toEqual([]);
  });

  it('is not loaded without an exporter', async () => {
    expect(await loadedBy(inOneSpan('notifier'))).toEqual([]);
    expect(received).toEqual([]);
  });

  it('does not hold up the stop of a service while the collector is away', async () => {
    const stopping = `
      const { startTelemetry, inSpan } = await import(${JSON.stringify(library)});
      const telemetry = await startTelemetry('notifier');
      await inSpan('one', {}, () => 1);
      // A service has eight seconds to stop, and the SDK alone tries for as long.
      const late = new Promise((resolve) => setTimeout(() => resolve('late'), 6_000));
      console.log(await Promise.race([telemetry.shutdown().then(() => 'stopped'), late]));
      process.exit();`;
    const { stdout } = await promisify(execFile)(
      process.execPath,
      ['--input-type=module', '-e', stopping],
      // The port of a server that has ended refuses connections.
      { env: { OTEL_EXPORTER_OTLP_ENDPOINT: await unusedEndpoint(), OTEL_TRACES_SAMPLER: 'always_on' } },
    );
    expect(stdout.trim()).toBe('stopped');
  });

  it('goes to the collector where there is one', async () => {
    const loaded = await loadedBy(inOneSpan('notifier'), { OTEL_EXPORTER_OTLP_ENDPOINT: endpoint });
    expect(loaded).toContain('@opentelemetry/sdk-node');
    expect(received.map(({ path }) => path)).toContain('/v1/traces');
    const sent = Buffer.concat(received.map(({ body }) => body));
    expect(sent.includes(Buffer.from('0af7651916cd43dd8448eb211c80319c', 'hex'))).toBe(true);
    expect(sent.includes('agentlattice-notifier')).toBe(true);
  });

  it.each([
    ['0', 'none that begins here', ['caller']],
    ['1', 'each that begins here', ['caller', 'here', 'here']],
  ])(
    'records of a share of %s %s, what a recording caller sends, and not what another sends',
    async (share, _, recorded) => {
      const asking = `
      const { startTelemetry, inSpan, currentTraceparent } = await import(${JSON.stringify(library)});
      const telemetry = await startTelemetry('notifier');
      const trace = (flags) => '00-0af7651916cd43dd8448eb211c80319' + flags[1] + '-b7ad6b7169203331-' + flags;
      const both = () => inSpan('outer', {}, async () => [currentTraceparent(), await inSpan('inner', {}, currentTraceparent)]);
      const seen = {
        caller: [await inSpan('a', { headers: { traceparent: trace('01') } }, () => inSpan('b', {}, currentTraceparent))],
        other: [await inSpan('c', { traceparent: trace('00') }, () => inSpan('d', {}, currentTraceparent))],
        here: await both(),
        // Of one that is not recorded, within one that is, and the other way round.
        mixed: [
          await inSpan('e', { traceparent: trace('01') }, () => inSpan('f', { traceparent: trace('00') }, currentTraceparent)),
          await inSpan('g', { traceparent: trace('00') }, () => inSpan('h', { traceparent: trace('01') }, currentTraceparent)),
        ],
        outside: currentTraceparent(),
      };
      console.log(JSON.stringify(seen));
      await telemetry.shutdown();`;
      const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', asking], {
        env: { OTEL_EXPORTER_OTLP_ENDPOINT: endpoint, OTEL_TRACES_SAMPLER_ARG: share },
      });
      const seen = JSON.parse(stdout) as Record<'caller' | 'other' | 'here' | 'mixed', string[]>;
      const isRecorded = (traceparent = '') => traceparent.endsWith('-01');
      const names = (['caller', 'other', 'here'] as const).flatMap((name) =>
        seen[name].filter(isRecorded).map(() => name),
      );
      expect(names).toEqual(recorded);
      expect(seen.caller[0]).toContain('0af7651916cd43dd8448eb211c803191');
      expect(seen.other[0]).toContain('0af7651916cd43dd8448eb211c803190');
      expect(new Set(seen.here.map((traceparent) => traceparent.slice(3, 35))).size).toBe(1);
      expect(seen.mixed.map((traceparent) => [traceparent.slice(34, 35), isRecorded(traceparent)])).toEqual([
        ['0', false],
        ['1', true],
      ]);
      expect(seen).toMatchObject({ outside: null });
    },
  );

  it.each([{ OTEL_TRACES_EXPORTER: 'none' }, { OTEL_SDK_DISABLED: 'true' }])(
    'keeps the ids of traces where spans are not exported: %j',
    async (env) => {
      const asking = `
      const { startTelemetry, inSpan, currentTraceparent } = await import(${JSON.stringify(library)});
      const telemetry = await startTelemetry('notifier');
      const parent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
      const seen = [
        await inSpan('a', {}, () => inSpan('b', {}, currentTraceparent)),
        await inSpan('c', { traceparent: parent }, () => inSpan('d', {}, currentTraceparent)),
      ];
      console.log(JSON.stringify(seen));
      await telemetry.shutdown();`;
      const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', asking], {
        env: { OTEL_EXPORTER_OTLP_ENDPOINT: endpoint, OTEL_TRACES_SAMPLER_ARG: '1', ...env },
      });
      expect(JSON.parse(stdout)).toEqual([
        expect.stringMatching(/^00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-0[01]$/),
        expect.stringMatching(/^00-0af7651916cd43dd8448eb211c80319c-(?!0{16})[0-9a-f]{16}-0[01]$/),
      ]);
    },
  );
});
