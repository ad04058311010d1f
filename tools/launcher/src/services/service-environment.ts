import { join } from 'node:path';
import type { ServiceName } from '@agentlattice/contracts';
import type { Backends } from '../backends.js';
import { randomInstance } from '../random-secret.js';
import { repositoryRoot } from '../repository-root.js';

export interface ServiceSettings {
  readonly dataDir: string;
  readonly host: string;
  /** The gateway's port. */
  readonly port: number;
  /** Where a service other than the gateway answers for its health. */
  readonly healthPort: number;
  /** Where people reach the gateway, unless AL_PUBLIC_URL says otherwise. */
  readonly publicUrl: string;
  /** Seals the secrets of channels, unless CHANNEL_SECRETS_KEY does. */
  readonly channelSecretsKey: string;
  /** Variables that the caller adds, for example in tests. */
  readonly extra: NodeJS.ProcessEnv;
}

// A service needs no variable of the launcher, of npm or of other PostgreSQL clients, and the
// administrator's URLs must not reach one.
const notForServices = /^(DATABASE_URL|NATS_URL|REDIS_URL|PG[A-Z]+$|npm_|INIT_CWD$|AL_CREDENTIALS_FILE$)/;

/** The pages as tools/build-dashboard.mjs leaves them. */
const dashboardDir = join(repositoryRoot, 'apps', 'dashboard', 'dist', 'site');

/** What single services need; SMTP_URL may hold a password. */
const onlyFor: readonly { readonly names: RegExp; readonly services: readonly ServiceName[] }[] = [
  { names: /^(SMTP_URL|MAIL_FROM|EGRESS_ALLOW|CHANNEL_SECRETS_KEY(_PREVIOUS)?)$/, services: ['notifier'] },
  { names: /^AL_PUBLIC_URL$/, services: ['notifier', 'gateway'] },
  { names: /^OIDC_/, services: ['gateway'] },
];

/** The environment of one run of one service; every call names a new instance. */
export function serviceEnvironment(
  service: ServiceName,
  backends: Backends,
  settings: ServiceSettings,
): NodeJS.ProcessEnv {
  const inherited = Object.entries(process.env).filter(([name]) => !notForServices.test(name));
  const given = Object.entries({ ...Object.fromEntries(inherited), ...settings.extra }).filter(
    // An empty variable counts as unset: it must not hide our own value.
    ([name, value]) => {
      const rule = onlyFor.find(({ names }) => names.test(name));
      return rule === undefined || (rule.services.includes(service) && value !== '');
    },
  );
  const { url, options } = backends.database.of(service);
  return {
    LOG_LEVEL: 'info',
    ...(service === 'gateway' && { DASHBOARD_DIR: dashboardDir }),
    ...((service === 'notifier' || service === 'gateway') && { AL_PUBLIC_URL: settings.publicUrl }),
    ...(service === 'notifier' && { CHANNEL_SECRETS_KEY: settings.channelSecretsKey }),
    ...Object.fromEntries(given),
    AL_SERVICE_NAME: service,
    AL_INSTANCE: randomInstance(),
    AL_DATA_DIR: settings.dataDir,
    DATABASE_URL: url,
    NATS_URL: backends.nats.url(service),
    ...(options === undefined ? {} : { PGOPTIONS: options }),
    ...(backends.redisUrl === undefined ? {} : { REDIS_URL: backends.redisUrl }),
    ...(service === 'gateway'
      ? { PORT: String(settings.port), HOST: settings.host }
      : { AL_HEALTH_PORT: String(settings.healthPort) }),
  };
}
