import type { ServiceName } from '@agentlattice/contracts';

/** `policy-engine` keeps its tables in the schema `policy_engine`. */
export const schemaOf = (service: ServiceName) => service.replaceAll('-', '_');

/** `policy-engine` logs in as `al_policy_engine`. */
export const roleOf = (service: ServiceName) => `al_${schemaOf(service)}`;

/** The schema of BullMQ's timers when there is no Redis; owned by the approval-service. */
export const jobsSchema = 'approval_service_jobs';

/** The variable of a service's own URL of an external server, e.g. `DATABASE_URL_POLICY_ENGINE`. */
export const urlVariable = (kind: 'DATABASE_URL' | 'NATS_URL', service: ServiceName) =>
  `${kind}_${schemaOf(service).toUpperCase()}`;
