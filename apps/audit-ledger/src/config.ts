import {
  type BaseConfig,
  type GrantSettings,
  readBaseConfig,
  readEnvironment,
  readGrantSettings,
} from '@agentlattice/service';
import { z } from 'zod';

export interface LedgerConfig extends BaseConfig, GrantSettings {
  /** First part of the origin of new logs; the origin of a log that exists never changes. */
  readonly logName: string;
  /** How many NATS servers keep the stream of events. */
  readonly streamReplicas: number;
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
});

/** @throws ConfigFault */
export function readLedgerConfig(env: NodeJS.ProcessEnv): LedgerConfig {
  const read = readEnvironment(environment, env);
  return {
    ...readBaseConfig('audit-ledger', env),
    ...readGrantSettings(env),
    logName: read.AL_LOG_NAME,
    streamReplicas: read.EVENT_STREAM_REPLICAS,
  };
}
