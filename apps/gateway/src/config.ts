import { readEnvironment } from '@agentlattice/service';
import { z } from 'zod';

const environment = z.object({
  HOST: z.string().min(1).default('127.0.0.1'),
  PORT: z
    .string()
    .regex(/^\d{1,5}$/, 'must be a port number')
    .transform(Number)
    .default(3000),
  RATE_LIMIT: z
    .string()
    .regex(/^\d{1,9}$/, 'must be a number of requests a minute, or 0 for none')
    .transform(Number)
    .default(1_000_000),
});

export interface GatewayConfig {
  readonly host: string;
  readonly port: number;
  /** Requests a minute and key; 0: no limit. */
  readonly rateLimit: number;
}

/** @throws ConfigFault */
export function readGatewayConfig(env: NodeJS.ProcessEnv): GatewayConfig {
  const { HOST, PORT, RATE_LIMIT } = readEnvironment(environment, env);
  return { host: HOST, port: PORT, rateLimit: RATE_LIMIT };
}
