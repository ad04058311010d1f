import { commitsWaitForDisk } from '@agentlattice/contracts';
import { type Check, failed, ok, warning } from './check.js';

/** What PostgreSQL says of itself. */
export interface PostgresFacts {
  readonly version: string;
  readonly fsync: string;
  readonly synchronous_commit: string;
  readonly full_page_writes: string;
  /** Roles of the services (`al_…`) that may do more than their schema. */
  readonly roles: readonly {
    readonly name: string;
    readonly superuser: boolean;
    readonly createrole: boolean;
    readonly createdb: boolean;
    readonly bypassrls: boolean;
  }[];
  readonly isSuperuser: boolean;
  /** Whether the URL is one of a service, which must not be a superuser. */
  readonly isOfService: boolean;
  /** Its clock minus the one of this machine. */
  readonly clockMs: number;
}

export function judgePostgres(part: string, facts: PostgresFacts): Check[] {
  const { fsync, synchronous_commit, full_page_writes, roles } = facts;
  const settings = `fsync ${fsync}, synchronous_commit ${synchronous_commit}`;
  const wide = roles.filter((role) => role.superuser || role.createrole || role.createdb || role.bypassrls);
  return [
    commitsWaitForDisk(facts)
      ? ok(part, `PostgreSQL ${facts.version} answers a commit when it is on disk (${settings}).`)
      : failed(
          part,
          `PostgreSQL ${facts.version} answers commits that a power cut loses (${settings}).`,
          'Set fsync = on and synchronous_commit = on in postgresql.conf and for the roles, and reload; the audit log is not written before.',
        ),
    full_page_writes === 'on'
      ? ok(part, 'full_page_writes is on: a page that was half written is repaired after a crash.')
      : failed(
          part,
          `full_page_writes is ${full_page_writes}: a crash can leave pages half written.`,
          'Set full_page_writes = on in postgresql.conf and reload.',
        ),
    clock(part, facts.clockMs, 'PostgreSQL, whose clock decides deadlines,'),
    ...(facts.isOfService && facts.isSuperuser
      ? [
          failed(
            part,
            'A service connects as a superuser, so nothing keeps it from the data of another.',
            'Make the roles with deploy/postgres/roles.sql and give each service its own URL (DATABASE_URL_GATEWAY and so on).',
          ),
        ]
      : []),
    ...(wide.length > 0
      ? [
          failed(
            part,
            `These roles of services may do more than use their schema: ${wide.map(({ name }) => name).join(', ')}.`,
            'ALTER ROLE … NOSUPERUSER NOCREATEROLE NOCREATEDB NOBYPASSRLS, as deploy/postgres/roles.sql does.',
          ),
        ]
      : roles.length > 0
        ? [ok(part, `The ${String(roles.length)} roles of the services have no rights beyond their schemas.`)]
        : [
            warning(
              part,
              'There are no roles for the services: all of them share one credential.',
              'Run deploy/postgres/roles.sql and set DATABASE_URL_GATEWAY and so on.',
            ),
          ]),
  ];
}

/** What NATS says of the stream of events; null: there is none. */
export interface NatsFacts {
  readonly version: string;
  readonly jetstream: boolean;
  readonly stream: { readonly storage: string; readonly replicas: number; readonly offline: number } | null;
  /** From the monitoring endpoint; null: it was not given or does not say. */
  readonly syncInterval: string | null;
  /** Whether the server is one of a cluster. */
  readonly clustered: boolean;
}

export function judgeNats(
  part: string,
  { version, jetstream, stream, syncInterval, clustered }: NatsFacts,
): Check[] {
  if (!jetstream)
    return [
      failed(
        part,
        `NATS ${version} runs without JetStream.`,
        'Start it with jetstream { store_dir: … }, as deploy/nats/server.conf shows.',
      ),
    ];
  if (stream === null)
    return [
      failed(
        part,
        'The stream EVENTS does not exist.',
        'Start the audit-ledger, which makes it; is this the NATS that the services use?',
      ),
    ];
  return [
    stream.storage === 'file'
      ? ok(part, `NATS ${version} keeps the stream EVENTS on disk.`)
      : failed(
          part,
          `The stream EVENTS is kept in ${stream.storage}.`,
          'Delete the stream and start the audit-ledger again, which makes it on disk; events are published again from PostgreSQL.',
        ),
    stream.replicas > 1 || !clustered
      ? ok(
          part,
          stream.replicas > 1
            ? `The stream EVENTS has ${String(stream.replicas)} replicas.`
            : 'The stream EVENTS has one replica on one server; what it loses is published again from PostgreSQL.',
        )
      : warning(
          part,
          `The stream EVENTS has one replica in a cluster: while its server is down, events wait.`,
          'nats stream edit EVENTS --replicas 3',
        ),
    ...(stream.offline > 0
      ? [
          failed(
            part,
            `${String(stream.offline)} replicas of EVENTS are not current.`,
            'Look at the NATS servers: `nats stream info EVENTS`.',
          ),
        ]
      : []),
    ...(syncInterval === null
      ? []
      : [
          ok(
            part,
            `NATS syncs its files every ${syncInterval}; what a crash takes is published again from PostgreSQL.`,
          ),
        ]),
  ];
}

/** What Redis says; timers are kept there. */
export interface RedisFacts {
  readonly version: string;
  /** Null: CONFIG is not allowed. */
  readonly maxmemoryPolicy: string | null;
  readonly appendonly: boolean;
  readonly lastWriteFailed: boolean;
}

export function judgeRedis(
  part: string,
  { version, maxmemoryPolicy, appendonly, lastWriteFailed }: RedisFacts,
): Check[] {
  return [
    maxmemoryPolicy === 'noeviction'
      ? ok(part, `Redis ${version} evicts nothing (noeviction).`)
      : maxmemoryPolicy === null
        ? warning(
            part,
            `Redis ${version} does not say whether it evicts keys.`,
            'Make sure of maxmemory-policy noeviction.',
          )
        : failed(
            part,
            `Redis ${version} may evict timers (maxmemory-policy ${maxmemoryPolicy}): requests would not time out or escalate on time.`,
            'Set maxmemory-policy noeviction.',
          ),
    appendonly
      ? ok(part, 'Redis writes an append-only file.')
      : warning(
          part,
          'Redis writes no append-only file: after a crash timers are made again from PostgreSQL, some seconds late.',
          'Set appendonly yes.',
        ),
    ...(lastWriteFailed
      ? [failed(part, 'The last write of Redis to its disk failed.', 'Look at its disk and its log.')]
      : []),
  ];
}

/** A file of the data directory that holds a secret. */
export interface SecretFile {
  readonly name: string;
  /** Null: it does not exist. */
  readonly mode: number | null;
}

const keyNames = ['audit-ledger-checkpoints', 'audit-ledger-grants', 'approval-service-grants'];
const serviceOf = (name: string) => (name.startsWith('audit-ledger') ? 'audit-ledger' : 'approval-service');

/**
 * The files of a folder of keys: those that must be there, and further ones that are. A folder that was given (AL_KEYS_DIR) may be
 * that of one service.
 */
export function filesToJudge(present: readonly string[], isGiven: boolean): string[] {
  const further = present.filter((name) => keyNames.some((key) => name.startsWith(`${key}.`)));
  const services = new Set(further.map(serviceOf));
  const needed = keyNames.filter((key) => !isGiven || services.size === 0 || services.has(serviceOf(key)));
  return [...new Set([...needed.map((key) => `${key}.pem`), ...further])];
}

/** @param isGiven a mounted Secret belongs to root, and the group of the pod reads it */
export function judgeFiles(part: string, files: readonly SecretFile[], isGiven = false): Check[] {
  const missing = files.filter(({ mode }) => mode === null);
  const open = files.filter(({ mode }) => mode !== null && (mode & (isGiven ? 0o007 : 0o077)) !== 0);
  return [
    ...(missing.length > 0
      ? [
          failed(
            part,
            `Missing: ${missing.map(({ name }) => name).join(', ')}.`,
            'Restore them from the backup: with new keys, grants and checkpoints of before no longer verify.',
          ),
        ]
      : []),
    ...(open.length > 0
      ? [
          failed(
            part,
            `Other users of this machine can read ${open.map(({ name }) => name).join(', ')}.`,
            `chmod 600 ${open.map(({ name }) => name).join(' ')}, and rotate what they may have read.`,
          ),
        ]
      : []),
    ...(missing.length + open.length === 0
      ? [
          ok(
            part,
            `The ${String(files.length)} files with keys and passwords are there, readable by their owner alone.`,
          ),
        ]
      : []),
  ];
}

/** @param ms the other clock minus this one */
export function clock(part: string, ms: number, whose: string): Check {
  const seconds = Math.round(Math.abs(ms) / 100) / 10;
  const text = `The clock of ${whose} is ${seconds < 1.5 ? 'the same as here' : `${String(seconds)} s ${ms > 0 ? 'ahead of' : 'behind'} the one here`}.`;
  const remedy =
    'Set both by NTP (chrony, systemd-timesyncd): grants expire by the clock of the system and are checked by the one here.';
  if (seconds < 5) return ok(part, text);
  return seconds < 60 ? warning(part, text, remedy) : failed(part, text, remedy);
}
