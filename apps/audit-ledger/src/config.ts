import { durationMs } from '@agentlattice/contracts';
import { type BaseConfig, readBaseConfig, readEnvironment } from '@agentlattice/service';
import { z } from 'zod';

export interface LedgerConfig extends BaseConfig {
  /** How long a grant of an allowed action is good for. */
  readonly grantTtlSeconds: number;
  /** `iss` of grants. */
  readonly issuer: string;
  /** First part of the origin of new logs; the origin of a log that exists never changes. */
  readonly logName: string;
}

const maxGrantMs = 24 * 3_600_000;

const environment = z.object({
  GRANT_TTL: z
    .string()
    .default('15m')
    .transform((text) => durationMs(text) ?? 0)
    .refine((ms) => ms >= 1_000 && ms <= maxGrantMs, 'must be a duration of 1s to 24h, such as 15m'),
  AL_ISSUER: z.string().min(1).max(255).default('agentlattice'),
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
    grantTtlSeconds: Math.floor(read.GRANT_TTL / 1_000),
    issuer: read.AL_ISSUER,
    logName: read.AL_LOG_NAME,
  };
}
