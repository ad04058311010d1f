import { readdir, readFile, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { serviceNames } from '@agentlattice/contracts';
import { JetStreamApiError, jetstreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import { Redis } from 'ioredis';
import pg from 'pg';
import { z } from 'zod';
import { type Check, failed, reasonOf, warning } from './check.js';
import {
  filesToJudge,
  judgeFiles,
  judgeNats,
  judgePostgres,
  judgeRedis,
  type NatsFacts,
  type PostgresFacts,
  type RedisFacts,
} from './judge-servers.js';

const connectWithinMs = 5_000;

interface Servers {
  readonly database: readonly (readonly [part: string, url: string, isOfService: boolean])[];
  readonly nats: string | null;
  readonly redis: string | null;
  readonly dataDir: string;
}

/** Checks the servers that the operator's environment names, and the data directory of `npm start` where there is one. */
export async function checkServers(env: NodeJS.ProcessEnv, folder: string): Promise<Check[]> {
  const dataDir = resolve(folder, env['AL_DATA_DIR'] || '.agentlattice');
  const { servers, fault } = await serversOf(env, dataDir);
  const parts = await Promise.all([
    ...servers.database.map(([part, url, isOfService]) => checkPostgres(part, url, isOfService)),
    ...(servers.nats === null ? [] : [checkNats(servers.nats, env['NATS_MONITOR_URL'] ?? null)]),
    ...(servers.redis === null ? [] : [checkRedis(servers.redis)]),
    checkFiles(dataDir, given(env, 'AL_KEYS_DIR')),
  ]);
  const checks = [...fault, ...parts.flat()];
  if (checks.length > 0) return checks;
  return [
    warning(
      'servers',
      'PostgreSQL, NATS and Redis were not checked: nothing here names them.',
      'Run al doctor where the services run, with their DATABASE_URL, NATS_URL and REDIS_URL, or with AL_DATA_DIR of npm start.',
    ),
  ];
}

/** An empty variable counts as unset. */
const given = (env: NodeJS.ProcessEnv, name: string): string | null => env[name] || null;

async function serversOf(
  env: NodeJS.ProcessEnv,
  dataDir: string,
): Promise<{ servers: Servers; fault: Check[] }> {
  const own = serviceNames.flatMap((service) => {
    const name = `DATABASE_URL_${service.toUpperCase().replaceAll('-', '_')}`;
    const url = given(env, name);
    return url === null ? [] : [[`postgres (${service})`, url, true] as const];
  });
  const { started, fault } = await startedServers(dataDir);
  const admin = given(env, 'DATABASE_URL') ?? (own.length > 0 ? null : (started['database_url'] ?? null));
  return {
    servers: {
      database: [...(admin === null ? [] : [['postgres', admin, false] as const]), ...own],
      nats: given(env, 'NATS_URL') ?? started['nats_url'] ?? null,
      redis: given(env, 'REDIS_URL') ?? started['redis_url'] ?? null,
      dataDir,
    },
    fault,
  };
}

const startedFile = z.record(z.string(), z.string().nullable());

/** What `npm start` wrote down. Passwords are sent to these addresses, so the file must be of this user alone. */
async function startedServers(
  dataDir: string,
): Promise<{ started: Record<string, string | null>; fault: Check[] }> {
  const file = join(dataDir, 'servers.json');
  try {
    const { uid, mode } = await stat(file);
    if (process.getuid !== undefined && (uid !== process.getuid() || (mode & 0o077) !== 0))
      return {
        started: {},
        fault: [
          failed(
            'servers',
            `${file} is not yours alone, so it is not used.`,
            'It must have the mode 0600 and your owner; start the system again to write it anew.',
          ),
        ],
      };
    const { data: started } = startedFile.safeParse(JSON.parse(await readFile(file, 'utf8')));
    if (started === undefined) throw new Error('it holds no addresses');
    return { started, fault: [] };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return { started: {}, fault: [] };
    return {
      started: {},
      fault: [
        failed(
          'servers',
          `${file} cannot be read (${reasonOf(error)}).`,
          'Start the system again to write it anew.',
        ),
      ],
    };
  }
}

async function checkPostgres(part: string, url: string, isOfService: boolean): Promise<Check[]> {
  const client = new pg.Client({
    connectionString: url,
    connectionTimeoutMillis: connectWithinMs,
    application_name: 'al-doctor',
  });
  client.on('error', () => undefined);
  try {
    await client.connect();
    const begun = Date.now();
    const { rows } = await client.query<
      Omit<PostgresFacts, 'roles' | 'clockMs' | 'isOfService'> & { now: string }
    >(
      `SELECT current_setting('server_version') AS version, current_setting('fsync') AS fsync,
              current_setting('synchronous_commit') AS synchronous_commit,
              current_setting('full_page_writes') AS full_page_writes,
              rolsuper AS "isSuperuser", extract(epoch FROM clock_timestamp()) * 1000 AS now
         FROM pg_roles WHERE rolname = current_user`,
    );
    const middle = (begun + Date.now()) / 2;
    const roles = await client.query<PostgresFacts['roles'][number]>(
      `SELECT rolname AS name, rolsuper AS superuser, rolcreaterole AS createrole, rolcreatedb AS createdb,
              rolbypassrls AS bypassrls
         FROM pg_roles WHERE rolname = ANY ($1) ORDER BY 1`,
      [serviceNames.map((service) => `al_${service.replaceAll('-', '_')}`)],
    );
    const [row] = rows;
    if (row === undefined) throw new Error('pg_roles does not know the current user');
    return judgePostgres(part, { ...row, isOfService, roles: roles.rows, clockMs: Number(row.now) - middle });
  } catch (error) {
    return [
      failed(
        part,
        `PostgreSQL cannot be asked (${reasonOf(error)}).`,
        'Is it running, and is DATABASE_URL right?',
      ),
    ];
  } finally {
    await client.end().catch(() => undefined);
  }
}

async function checkNats(url: string, monitor: string | null): Promise<Check[]> {
  const part = 'nats';
  try {
    const { hostname, port, username, password, protocol } = new URL(url);
    const nc = await connect({
      servers: `${hostname}:${port || '4222'}`,
      timeout: connectWithinMs,
      reconnect: false,
      name: 'al-doctor',
      ...(username === '' ? {} : { user: decodeURIComponent(username), pass: decodeURIComponent(password) }),
      ...(protocol === 'tls:' ? { tls: {} } : {}),
    });
    try {
      const stream = await (
        await jetstreamManager(nc, { checkAPI: false })
      ).streams
        .info('EVENTS')
        .catch((error: unknown) => {
          if (error instanceof JetStreamApiError && error.status === 404) return null;
          throw error;
        });
      const facts: NatsFacts = {
        version: nc.info?.version ?? '',
        jetstream: nc.info?.jetstream === true,
        clustered: stream?.cluster?.name !== undefined,
        stream:
          stream === null
            ? null
            : {
                storage: String(stream.config.storage),
                replicas: stream.config.num_replicas,
                offline: (stream.cluster?.replicas ?? []).filter(({ current }) => !current).length,
              },
        syncInterval: monitor === null ? null : await syncIntervalOf(monitor),
      };
      return judgeNats(part, facts);
    } finally {
      await nc.close();
    }
  } catch (error) {
    return [
      failed(
        part,
        `NATS cannot be asked (${reasonOf(error)}).`,
        'Is it running, is NATS_URL right, and may its user ask for $JS.API.STREAM.INFO.EVENTS?',
      ),
    ];
  }
}

/** Only the monitoring endpoint says it (`jetstream.config.sync_interval` of /varz, in nanoseconds). */
async function syncIntervalOf(monitor: string): Promise<string | null> {
  const answer = await fetch(new URL('/varz', monitor), { signal: AbortSignal.timeout(connectWithinMs) });
  const { jetstream } = (await answer.json()) as {
    jetstream?: { config?: { sync_interval?: number; sync_always?: boolean } };
  };
  if (jetstream?.config?.sync_always === true) return 'write';
  const nanos = jetstream?.config?.sync_interval;
  return nanos === undefined ? null : `${String(nanos / 1e9)} s`;
}

async function checkRedis(url: string): Promise<Check[]> {
  const part = 'redis';
  const client = new Redis(url, {
    lazyConnect: true,
    retryStrategy: () => null,
    connectTimeout: connectWithinMs,
  });
  client.on('error', () => undefined);
  try {
    await client.connect();
    const info = await client.info();
    const said = (name: string) => new RegExp(`^${name}:(.*)$`, 'm').exec(info)?.[1]?.trim() ?? '';
    const policy = said('maxmemory_policy');
    const facts: RedisFacts = {
      version: said('redis_version'),
      maxmemoryPolicy: policy === '' ? null : policy,
      appendonly: said('aof_enabled') === '1',
      lastWriteFailed: said('aof_last_write_status') === 'err' || said('rdb_last_bgsave_status') === 'err',
    };
    return judgeRedis(part, facts);
  } catch (error) {
    return [
      failed(part, `Redis cannot be asked (${reasonOf(error)}).`, 'Is it running, and is REDIS_URL right?'),
    ];
  } finally {
    client.disconnect();
  }
}

/** The keys of a given folder, or those of a data directory of `npm start`; nothing where there is neither. */
async function checkFiles(dataDir: string, keysDir: string | null): Promise<Check[]> {
  const modeOf = (path: string) =>
    stat(path).then(
      ({ mode }) => mode & 0o777,
      () => null,
    );
  const own = join(dataDir, 'keys');
  if (keysDir === null && (await modeOf(own)) === null) return [];
  const folder = keysDir === null ? own : resolve(keysDir);
  const present = await readdir(folder).catch(() => []);
  const wanted = filesToJudge(present, keysDir !== null);
  const files = await Promise.all([
    ...wanted.map(async (name) => ({
      name: `${keysDir ?? 'keys'}/${name}`,
      mode: await modeOf(join(folder, name)),
    })),
    ...['secrets.json', 'credentials.json', 'servers.json'].map(async (name) => ({
      name,
      mode: await modeOf(join(dataDir, name)),
    })),
  ]);
  return judgeFiles(
    'files',
    files.filter(({ name, mode }) => mode !== null || name.endsWith('.pem')),
    keysDir !== null,
  );
}
