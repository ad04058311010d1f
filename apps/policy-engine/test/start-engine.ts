import { randomBytes } from 'node:crypto';
import { createLogger } from '@agentlattice/observability';
import { readBaseConfig, startApp } from '@agentlattice/service';
import { PolicyEngineModule } from '../src/policy-engine.module.js';
import type { LivePolicies } from '../src/read/live-policies.js';
import { LIVE_POLICIES } from '../src/tokens.js';

export interface Engine {
  readonly policies: LivePolicies;
  readonly url: string;
  stop(): Promise<void>;
}

/** One replica of the service, in this process, on real servers. */
export async function startEngine(databaseUrl: string, natsUrl: string): Promise<Engine> {
  Object.assign(process.env, {
    AL_INSTANCE: randomBytes(4).toString('hex'),
    DATABASE_URL: databaseUrl,
    NATS_URL: natsUrl,
    AL_DATA_DIR: '/nonexistent',
    AL_HEALTH_PORT: '0',
    LOG_LEVEL: process.env['LOG_LEVEL'] ?? 'silent',
  });
  const config = readBaseConfig('policy-engine', process.env);
  const logger = createLogger('policy-engine', config.logLevel);
  const app = await startApp({ service: 'policy-engine', module: PolicyEngineModule }, config, logger);
  return { policies: app.get<LivePolicies>(LIVE_POLICIES), url: await app.getUrl(), stop: () => app.close() };
}
