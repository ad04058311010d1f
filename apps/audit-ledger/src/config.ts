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
}

const environment = z.object({
  AL_LOG_NAME: z
    .string()
    .regex(/^[a-z0-9][a-z0-9.-]{0,120}$/, 'must look like a host name')
    .default('agentlattice.local'),
});

/** @throws ConfigFault */
export function readLedgerConfig(env: NodeJS.ProcessEnv): LedgerConfig {
  const read = readEnvironment(environment, env);
  return {
    ...readBaseConfig('audit-ledger', env),
    ...readGrantSettings(env),
    logName: read.AL_LOG_NAME,
  };
}
