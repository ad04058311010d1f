import { createLogger, currentTraceparent, inSpan, startTelemetry, type Telemetry } from './index.js';

describe('traces', () => {
  let telemetry: Telemetry;
  beforeAll(() => {
    telemetry = startTelemetry('notifier', {});
  });
  afterAll(() => telemetry.shutdown());

  it('hang together across processes without a collector', async () => {
    const parent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    const inside = await inSpan('outer', { traceparent: parent }, () =>
      inSpan('inner', {}, async () => {
        await Promise.resolve();
        return currentTraceparent();
      }),
    );
    expect(inside).toMatch(/^00-0af7651916cd43dd8448eb211c80319c-[0-9a-f]{16}-0[01]$/);
    expect(inside).not.toContain('b7ad6b7169203331');
    expect(currentTraceparent()).toBeNull();
  });

  it('begin anew under a parent that is none', async () => {
    const fresh = await inSpan('x', { traceparent: '00-zz-1-1' }, () => currentTraceparent());
    expect(fresh).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-0[01]$/);
  });

  it('let errors through', () =>
    expect(inSpan('x', {}, () => Promise.reject(new TypeError('inner')))).rejects.toThrow('inner'));
});

describe('the log', () => {
  it('is JSON with the level’s name and holds no secret', () => {
    const lines: string[] = [];
    const logger = createLogger('notifier', 'info', { write: (line) => void lines.push(line) });
    logger.debug('not this');
    logger.info(
      {
        req: { headers: { authorization: 'Bearer hunter2' } },
        api_key: 'hunter2',
        body: { password: 'hunter2' },
      },
      'hello',
    );
    expect(lines).toHaveLength(1);
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({
      level: 'info',
      service: 'notifier',
      msg: 'hello',
      api_key: '[redacted]',
    });
    expect(lines[0]).not.toContain('hunter2');
  });
});
