import {
  type BaseConfig,
  type GrantSettings,
  readBaseConfig,
  readEnvironment,
  readGrantSettings,
} from '@agentlattice/service';
import { z } from 'zod';
import type { ReleaseOrder } from './domain/release.js';

export interface LedgerConfig extends BaseConfig, GrantSettings {
  /** First part of the origin of new logs; the origin of a log that exists never changes. */
  readonly logName: string;
  /** How many NATS servers keep the stream of events. */
  readonly streamReplicas: number;
  /** An operator's order to go on without signed entries. */
  readonly release: ReleaseOrder | null;
}

const environment = z.object({
  AL_LOG_NAME: z
    .string()
    .regex(/^[a-z0-9][a-z0-9.-]{0,120}$/, 'must look like a host name')
    .default('agentlattice.local'),
  EVENT_STREAM_REPLICAS: z
    .enum(['1', '3', '5'], 'must be 1, 3 or 5, and not more than there are NATS servers')
    .transform(Number)
    .default(1),
  LEDGER_RELEASE: z
    .string()
    .regex(
      /^[0-9a-f]{16}:[^\p{Cc}]{1,500}$/u,
      'must be the code that the audit-ledger logged, a colon and a reason',
    )
    .transform((text) => ({ code: text.slice(0, 16), reason: text.slice(17).trim() }))
    .optional(),
});

/** @throws ConfigFault */
export function readLedgerConfig(env: NodeJS.ProcessEnv): LedgerConfig {
  const read = readEnvironment(environment, env);
  return {
    ...readBaseConfig('audit-ledger', env),
    ...readGrantSettings(env),
    logName: read.AL_LOG_NAME,
    streamReplicas: read.EVENT_STREAM_REPLICAS,
    release: read.LEDGER_RELEASE ?? null,
  };
}
