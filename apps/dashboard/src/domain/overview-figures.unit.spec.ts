import type { Overview } from '@agentlattice/contracts';
import {
  bucketName,
  endingsSummary,
  hoursSummary,
  secondsText,
  shadeOf,
  shareText,
  timesSummary,
  timeUnit,
} from './overview-figures.js';

const none = { approved: 0, denied: 0, timed_out: 0, released: 0, cancelled: 0 };
const day = (start: string, more: object = {}) => ({
  start,
  asked: 0,
  open: 0,
  median_seconds: null,
  p95_seconds: null,
  timeout_seconds: null,
  ...none,
  ...more,
});
const overview: Overview = {
  range: '14d',
  tz: 'Europe/Berlin',
  from: '2026-11-08T23:00:00Z',
  now: '2026-11-22T12:00:00Z',
  waiting: { total: 0, under_5_minutes: 0, escalated: 0 },
  asked: 0,
  median_seconds: null,
  p95_seconds: null,
  ...none,
  bucket: 'day',
  series: [day('2026-11-08T23:00:00Z')],
  policies: [],
  hours: [],
};

describe('the overview in words', () => {
  it('says that there is nothing', () => {
    expect(timesSummary(overview)).toBe('No request was decided by a person in this time.');
    expect(endingsSummary(overview)).toBe('No request ended in this time.');
    expect(hoursSummary(overview)).toBe('No request came in this time.');
  });

  it('says how fast requests are decided, and whether that is in time', () => {
    const decided = day('2026-11-09T23:00:00Z', {
      median_seconds: 130,
      p95_seconds: 840,
      timeout_seconds: 1_800,
    });
    const figures = { ...overview, median_seconds: 130, p95_seconds: 840, series: [decided] };
    expect(timesSummary(figures)).toBe(
      'Half are decided within 2 min 10 s, 95 of 100 within 14 min, always under the timeout.',
    );
    const late = { ...decided, p95_seconds: 1_900 };
    expect(timesSummary({ ...figures, series: [decided, late] })).toMatch(
      /over the timeout in 1 of 2 days\.$/,
    );
  });

  it('says how they end', () =>
    expect(endingsSummary({ ...overview, asked: 1_152, approved: 1_100, timed_out: 3 })).toBe(
      'Of 1,152 requests: 1,100 approved, 3 timed out.',
    ));

  it('says when most come, and when nobody was there', () => {
    const hours = [
      { weekday: 1, hour: 9, asked: 8, timed_out: 0 },
      { weekday: 7, hour: 2, asked: 1, timed_out: 1 },
    ];
    expect(hoursSummary({ ...overview, hours })).toBe(
      'Most requests come on Monday from 09:00. Some timed out: Sunday 02:00.',
    );
  });

  it('names days and hours in the zone of the figures', () => {
    expect(bucketName('2026-11-08T23:00:00Z', 'day', 'Europe/Berlin')).toBe('9 Nov');
    expect(bucketName('2026-11-08T23:00:00Z', 'hour', 'UTC')).toBe('23:00');
  });

  it('chooses units, shares and shades', () => {
    expect([timeUnit(90).name, timeUnit(900).name, timeUnit(90_000).name]).toEqual([
      'seconds',
      'minutes',
      'hours',
    ]);
    expect([shareText(0, 0), shareText(3, 152), shareText(1, 2)]).toEqual(['0', '2', '50']);
    expect([secondsText(null), secondsText(0.2), secondsText(130)]).toEqual(['None', '1 s', '2 min 10 s']);
    expect([0, 1, 4, 8].map((asked) => shadeOf(asked, 8))).toEqual([0, 1, 2, 4]);
  });
});
