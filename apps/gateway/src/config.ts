import { readEnvironment } from '@agentlattice/service';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
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
  DASHBOARD_DIR: z
    .string()
    .refine(
      (folder) => existsSync(join(folder, 'index.html')),
      'names a folder without the pages of the dashboard; build them with npm run build',
    )
    .optional(),
});

export interface GatewayConfig {
  readonly host: string;
  readonly port: number;
  /** Requests a minute and key; 0: no limit. */
  readonly rateLimit: number;
  /** The folder of the dashboard's pages; undefined: the gateway serves the API alone. */
  readonly dashboardDir: string | undefined;
}

/** @throws ConfigFault */
export function readGatewayConfig(env: NodeJS.ProcessEnv): GatewayConfig {
  const { HOST, PORT, RATE_LIMIT, DASHBOARD_DIR } = readEnvironment(environment, env);
  return { host: HOST, port: PORT, rateLimit: RATE_LIMIT, dashboardDir: DASHBOARD_DIR };
}
