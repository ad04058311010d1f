import { Refused } from '@agentlattice/contracts';
import { measure, recordsMetrics, secondsSince } from '@agentlattice/observability';
import { isBackendAway } from './is-backend-away.js';

/** A subject without the parts that differ between instances and workspaces. */
export const subjectTemplate = (subject: string): string =>
  subject.replace(/^reply\.gateway\.[^.]+/, 'reply.gateway.{instance}');

/** Every event is on a subject of its workspace and type. */
export const eventTemplate = 'events.{workspace}.{type}';

/** Measures how long a message is handled, in `messaging.process.duration`. */
export async function measured<T>(template: string, work: () => T | Promise<T>): Promise<T> {
  if (!recordsMetrics()) return work();
  const startedAt = performance.now();
  try {
    const result = await work();
    measure('messaging.process.duration', secondsSince(startedAt), labelsOf(template));
    return result;
  } catch (error) {
    const type = error instanceof Refused ? 'refused' : isBackendAway(error) ? 'unavailable' : 'failed';
    measure('messaging.process.duration', secondsSince(startedAt), {
      ...labelsOf(template),
      'error.type': type,
    });
    throw error;
  }
}

const labelsOf = (template: string) =>
  ({
    'messaging.system': 'nats',
    'messaging.operation.name': 'process',
    'messaging.destination.template': template,
  }) as const;
