import { nextAttempt, retryAfterMs } from './delivery-schedule.js';

const now = new Date('2026-11-25T08:00:00.000Z');
const inMs = (ms: number) => new Date(now.getTime() + ms);
const after = (failures: number, changes: Partial<Parameters<typeof nextAttempt>[0]> = {}) => {
  const next = nextAttempt({ failures, now, pendingUntil: null, retryAfterMs: null, jitter: 0, ...changes });
  return next === null ? null : (next.getTime() - now.getTime()) / 1_000;
};

describe('when a delivery is tried again', () => {
  it('is soon while its request is pending, then every minute', () => {
    const pending = { pendingUntil: inMs(3_600_000), jitter: 0.99 };
    expect([1, 2, 3, 4, 5, 6, 7, 50].map((failures) => after(failures, pending))).toEqual([
      1, 5, 15, 30, 60, 60, 60, 60,
    ]);
  });

  it('is never at the deadline of the request or after it', () => {
    expect(after(1, { pendingUntil: inMs(1_001) })).toBe(1);
    expect(after(1, { pendingUntil: inMs(1_000) })).toBeNull();
    expect(after(7, { pendingUntil: inMs(-1) })).toBeNull();
  });

  it('follows Standard Webhooks when no request is pending, and ends', () => {
    const [m, h] = [60, 3_600];
    const pauses = [5, 5 * m, 30 * m, 2 * h, 5 * h, 10 * h, 14 * h, 20 * h, 24 * h];
    expect(pauses.map((_, i) => after(i + 1))).toEqual(pauses);
    expect(after(pauses.length + 1)).toBeNull();
  });

  it('is spread, never earlier and at most a fifth later', () => {
    for (const jitter of [0, 0.3, 0.999]) {
      expect(after(2, { jitter })).toBeGreaterThanOrEqual(300);
      expect(after(2, { jitter })).toBeLessThan(360);
    }
  });

  it('is when the receiver asks for it, if that is later, up to a day', () => {
    expect(after(1, { retryAfterMs: 120_000 })).toBe(120);
    expect(after(1, { retryAfterMs: 1_000 })).toBe(5);
    expect(after(1, { retryAfterMs: 99 * 86_400_000 })).toBe(86_400);
    expect(after(1, { retryAfterMs: 10_000, pendingUntil: inMs(60_000) })).toBe(10);
    expect(after(1, { retryAfterMs: 70_000, pendingUntil: inMs(60_000) })).toBeNull();
  });
});

it.each([
  [undefined, null],
  ['30', 30_000],
  [' 0 ', 0],
  ['Wed, 25 Nov 2026 08:01:00 GMT', 60_000],
  ['Wed, 25 Nov 2026 07:00:00 GMT', 0],
  ['soon', null],
  ['-5', null],
  ['1.5', null],
  ['2026', 2_026_000],
])('Retry-After %j asks for %j ms', (header, ms) => expect(retryAfterMs(header, now)).toBe(ms));
