import { z } from 'zod';
import { instant, rulesBeyondSchema, typeId } from '../primitives.js';

export const overviewRanges = ['24h', '14d', '90d'] as const;
export type OverviewRange = (typeof overviewRanges)[number];

const noTimeZone = 'is no time zone';
/** An IANA time zone. A name with a sign alone is refused: PostgreSQL reads it with the other sign. */
export const timeZone = () =>
  z
    .string()
    .max(64)
    .regex(/^[A-Za-z][A-Za-z0-9_+-]*(\/[A-Za-z0-9_+-]+)*$/, { abort: true })
    .refine(isTimeZone, noTimeZone)
    .meta({ description: 'IANA time zone', examples: ['Europe/Berlin'], ...rulesBeyondSchema(noTimeZone) });

function isTimeZone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }).format() !== '';
  } catch {
    return false;
  }
}

const count = () => z.number().int().min(0);
const seconds = () => z.number().min(0).nullable();

const timesToDecide = {
  median_seconds: seconds().meta({
    description: 'From the request to the decision of a person; null without one',
  }),
  p95_seconds: seconds(),
};
const endings = {
  approved: count().meta({ description: 'By people' }),
  denied: count(),
  timed_out: count(),
  released: count().meta({ description: 'Approved by the system, as the policies changed' }),
  cancelled: count(),
};

/** Figures of a workspace. A request counts at the time when it was asked. */
export const overview = z
  .object({
    range: z.enum(overviewRanges),
    tz: z.string(),
    from: instant(),
    now: instant(),
    waiting: z.object({ total: count(), under_5_minutes: count(), escalated: count() }),
    asked: count(),
    ...timesToDecide,
    ...endings,
    bucket: z.enum(['hour', 'day']),
    series: z
      .array(
        z.object({
          start: instant(),
          asked: count(),
          open: count(),
          ...timesToDecide,
          ...endings,
          timeout_seconds: seconds().meta({ description: 'The median time that the policies gave' }),
        }),
      )
      .meta({ description: 'One item for each hour (24h) or day in the time zone, oldest first' }),
    policies: z
      .array(
        z.object({
          policy_id: typeId('pol'),
          name: z.string(),
          asked: count(),
          denied: count().meta({ description: 'By people' }),
          timed_out: count(),
          votes_seen: count().meta({ description: 'Votes that say how long the request was on the screen' }),
          median_seen_ms: z.number().min(0).nullable(),
          advice: z.enum(['consider_a_condition']).nullable().meta({
            description: 'Never denied and decided within seconds: people do not read these requests',
          }),
        }),
      )
      .meta({ description: 'The 50 with the most requests' }),
    hours: z
      .array(
        z.object({
          weekday: z.number().int().min(1).max(7).meta({ description: '1 is Monday' }),
          hour: z.number().int().min(0).max(23),
          asked: count(),
          timed_out: count(),
        }),
      )
      .meta({ description: 'By the time zone; hours without requests are left out' }),
  })
  .meta({ id: 'Overview' });
export type Overview = z.infer<typeof overview>;
