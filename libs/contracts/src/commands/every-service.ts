import { z } from 'zod';
import { wireEvent } from '../events/wire-event.js';
import { typeId } from '../primitives.js';
import type { ServiceName } from '../services.js';
import { command } from './command.js';

/** Parts of a service that answer, but are behind or cannot store. */
const trouble = z.object({ name: z.string(), reason: z.string() });

/** Which services ask a service for missing events and for their erasable values. */
const replayedBy: Readonly<Record<ServiceName, readonly ServiceName[]>> = {
  gateway: ['policy-engine', 'audit-ledger', 'approval-service', 'notifier'],
  'policy-engine': ['audit-ledger', 'approval-service', 'notifier'],
  'approval-service': ['policy-engine', 'audit-ledger', 'notifier'],
  'audit-ledger': ['approval-service', 'notifier'],
  notifier: ['audit-ledger'],
};
const valuesReadBy: Readonly<Partial<Record<ServiceName, readonly ServiceName[]>>> = {
  gateway: ['audit-ledger', 'approval-service'],
  'approval-service': ['audit-ledger'],
};

/** Schemas and their compiled checks are expensive to make: one of each for a service. */
function perService<C>(make: (service: ServiceName) => C): (service: ServiceName) => C {
  const made = new Map<ServiceName, C>();
  return (service) => {
    const known = made.get(service) ?? make(service);
    made.set(service, known);
    return known;
  };
}

/** Whether a service can do its work, and if not, what is missing. */
export const ping = perService((service) =>
  command(
    service,
    'ping',
    z.object({}),
    z.object({
      ready: z.boolean(),
      missing: z.array(z.string()),
      /** Missing in answers of earlier releases. */
      troubles: z.array(trouble).optional(),
    }),
    service === 'gateway' ? [] : ['gateway'],
  ),
);

/**
 * The erasable values of events of a service; the ledger needs them for its commitments. The answer contains as many of the
 * requested events as fit one message, at least the first; an event without values is in the answer with none.
 */
export const erasableValues = perService((service) =>
  command(
    service,
    'erasable_values',
    z.object({
      events: z
        .array(z.object({ org_id: typeId('org'), event_id: typeId('evt') }))
        .min(1)
        .max(64),
    }),
    z.object({
      answered: z.array(z.string()),
      values: z.array(
        z.object({ event_id: z.string(), reason: z.string().nullable(), note: z.string().nullable() }),
      ),
    }),
    valuesReadBy[service] ?? [],
  ),
);

/** Reads a service's events again from its own tables, in order of `gpos`: JetStream is transport, never the only copy. */
export const replay = perService((service) =>
  command(
    service,
    'replay',
    z.object({
      after_gpos: z.number().int().min(0),
      limit: z.number().int().min(1).max(500),
      org_id: z.string().optional(),
      /** Only events of these types. */
      types: z.array(z.string()).max(100).optional(),
      /** Only events whose data have these members. */
      containing: z.record(z.string(), z.string()).optional(),
    }),
    z.object({
      events: z.array(wireEvent),
      head_gpos: z.number().int().min(0),
      /** All requested events up to this position are in `events`; the next page starts here. */
      through_gpos: z.number().int().min(0),
    }),
    replayedBy[service],
  ),
);
