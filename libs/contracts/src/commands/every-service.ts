import { z } from 'zod';
import { wireEvent } from '../events/wire-event.js';
import { typeId } from '../primitives.js';
import type { ServiceName } from '../services.js';
import { command } from './command.js';

/** What a service is behind with or cannot store, although it answers. */
const trouble = z.object({ name: z.string(), reason: z.string() });

/** Which services ask a service for its events and for what was said with them, when they miss some. */
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

/** Schemas are dear to make and are checked by what was made of them: one of each for a service. */
function perService<C>(make: (service: ServiceName) => C): (service: ServiceName) => C {
  const made = new Map<ServiceName, C>();
  return (service) => {
    const known = made.get(service) ?? make(service);
    made.set(service, known);
    return known;
  };
}

/** Whether a service can do its work, and what it misses if not. */
export const ping = perService((service) =>
  command(
    service,
    'ping',
    z.object({}),
    z.object({
      ready: z.boolean(),
      missing: z.array(z.string()),
      /** Left out by releases that know of none. */
      troubles: z.array(trouble).optional(),
    }),
    service === 'gateway' ? [] : ['gateway'],
  ),
);

/**
 * What was said with events of a service, for those who need it: the ledger commits to it. As many of those asked for are
 * answered as fit one message, the first at least; one that was answered and has no values said nothing.
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

/** A service's events again, in order of `gpos`, from its own tables: JetStream is transport, never the only copy. */
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
      /** Everything asked for up to this position is in `events`: where the next page starts. */
      through_gpos: z.number().int().min(0),
    }),
    replayedBy[service],
  ),
);
