import { createLogger, currentTraceparent, inSpan, startTelemetry, type Telemetry } from './index.js';

describe('traces', () => {
  let telemetry: Telemetry;
  beforeAll(async () => {
    telemetry = await startTelemetry('notifier', {});
  });
  afterAll(() => telemetry.shutdown());

  it('keep their id across processes without a collector', async () => {
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

  it('begin a new trace under a malformed parent', async () => {
    const fresh = await inSpan('x', { traceparent: '00-zz-1-1' }, () => currentTraceparent());
    expect(fresh).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-0[01]$/);
  });

  it.each([
    ['one of a later version goes on', 'cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more', true],
    ['version 00 has no more members', '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more', false],
    ['a trace id of zeros is none', '00-00000000000000000000000000000000-b7ad6b7169203331-01', false],
    ['a span id of zeros is none', '00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01', false],
  ])('read a header as W3C says: %s', async (_, header, known) => {
    const inside = await inSpan('x', { headers: { traceparent: header } }, () => currentTraceparent());
    expect(inside?.includes(header.slice(3, 35))).toBe(known);
  });

  it('have spans of their own, each with one id', async () => {
    const ids = await inSpan('outer', {}, async () => [
      currentTraceparent(),
      currentTraceparent(),
      await inSpan('inner', {}, () => currentTraceparent()),
      await inSpan('inner', {}, () => currentTraceparent()),
    ]);
    expect(new Set(ids).size).toBe(3);
    expect(new Set(ids.map((id) => id?.slice(0, 35))).size).toBe(1);
    expect(await inSpan('another', {}, () => currentTraceparent())).not.toContain(ids[0]?.slice(0, 35));
  });

  it('are named in the log', async () => {
    const lines: string[] = [];
    const logger = createLogger('notifier', 'info', { write: (line) => void lines.push(line) });
    const inside = await inSpan('x', {}, () => {
      logger.info('inside');
      return currentTraceparent();
    });
    logger.info('outside');
    const ids = lines.map((line) => (JSON.parse(line) as { trace_id?: string }).trace_id);
    expect(ids).toEqual([inside?.slice(3, 35), undefined]);
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
