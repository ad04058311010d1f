import { z } from 'zod';
import { instant, jsonObject, typeId } from '../primitives.js';

/** The outcome of an allowed or approved action. */
export const outcomeStatuses = ['success', 'failure', 'partial'] as const;

/** Not checked for form: an id that is no event of this agent is 404. */
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
