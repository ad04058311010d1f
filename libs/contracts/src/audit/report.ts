import { z } from 'zod';
import { instant, jsonObject, typeId } from '../primitives.js';

/** How an action went that was allowed or approved. */
export const outcomeStatuses = ['success', 'failure', 'partial'] as const;

/** Whose event it is shows in the log: what is no event of the agent is 404, whatever it looks like. */
export const reportInput = z
  .strictObject({
    audit_event_id: z.string().min(1).max(255),
    outcome: z.strictObject({
      status: z.enum(outcomeStatuses),
      message: z.string().max(4000).nullish(),
      metadata: jsonObject().nullish(),
    }),
  })
  .meta({ id: 'ReportInput' });
export type ReportInput = z.infer<typeof reportInput>;

export const reportResult = z
  .object({
    audit_event_id: typeId('evt'),
    status: z.enum(outcomeStatuses),
    reported_at: instant(),
  })
  .meta({ id: 'ReportResult' });
export type ReportResult = z.infer<typeof reportResult>;
