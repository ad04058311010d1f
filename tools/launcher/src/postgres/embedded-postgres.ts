import { existsSync, readFileSync, rmSync } from 'node:fs';
import { chmod, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { runCommand } from '../process/run-command.js';
import type { ChildSpec } from '../process/supervised-process.js';
import type { Secrets } from '../secrets.js';
import { StartRefused } from '../start-refused.js';
import { answers, withClient } from './database-client.js';
import { postgresUser, type PostgresUser } from './ordinary-user.js';
import { findPostgres } from './postgres-binaries.js';
import { viaSocket, listOfDirectories, socketDirectory, socketLock } from './socket-directory.js';

const adminRole = 'al_admin';
export const databaseName = 'agentlattice';

/** The bundled PostgreSQL: how to run it, and how to make its database. */
export interface EmbeddedPostgres {
  readonly spec: ChildSpec;
  /** The administrator's URL of our database, by the server's socket when it has one; it listens on 127.0.0.1 as well. */
  readonly adminUrl: string;
  /** Makes the database unless it exists; to be called when the server is ready. */
  ensureDatabase(): Promise<void>;
}

/**
 * Prepares PostgreSQL in `<dataDir>/postgres` (initialises it the first time, with a generated password).
 * @throws StartRefused when there is no usable server program, or the data are of another major version
 */
export async function embeddedPostgres(
  dataDir: string,
  port: number,
  secrets: Secrets,
): Promise<EmbeddedPostgres> {
  const password = secrets.of('postgres.admin');
  await secrets.save();
  const user = await postgresUser(await findPostgres(), join(dataDir, 'postgres'));
  await initialise(user, password);
  const sockets = await socketDirectory(user, port);
  const url = (database: string) =>
    viaSocket(sockets, `postgresql://${adminRole}:${password}@127.0.0.1:${String(port)}/${database}`);
  return {
    spec: serverSpec(user, port, sockets, url('postgres')),
    adminUrl: url(databaseName),
    ensureDatabase: () => ensureDatabase(url('postgres')),
  };
}

const serverEnvironment = () => ({ PATH: process.env['PATH'] ?? '/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC' });

async function initialise(user: PostgresUser, password: string): Promise<void> {
  const versionFile = join(user.dataDir, 'PG_VERSION');
  if (existsSync(versionFile)) {
    const major = Number((await readFile(versionFile, 'utf8')).trim());
    if (major === user.binaries.major) return;
    throw new StartRefused(
      `The database in ${user.dataDir} was made by PostgreSQL ${String(major)}, but only version ${String(user.binaries.major)} is here; install version ${String(major)} or move the directory away.`,
    );
  }
  // A draft that is renamed when complete: a crash in the middle leaves nothing that looks like a database.
  const draft = join(dirname(user.dataDir), `${basename(user.dataDir)}.new`);
  await rm(draft, { recursive: true, force: true });
  await mkdir(draft, { recursive: true, mode: 0o700 });
  await chmod(draft, 0o700);
  await user.own(draft);
  const passwordFile = join(dirname(user.dataDir), `${basename(user.dataDir)}.password`);
  await writeFile(passwordFile, password, { mode: 0o600 });
  await user.own(passwordFile);
  try {
    const { command, args } = user.command(user.binaries.initdb, [
      ...['-D', draft, '-U', adminRole, `--pwfile=${passwordFile}`, '--auth=scram-sha-256'],
      ...['--no-sync', '--locale=C', '-E', 'UTF8', '--no-instructions'],
    ]);
    const { code, stdout, stderr } = await runCommand(command, args, {
      env: serverEnvironment(),
      cwd: dirname(user.dataDir),
      ...user.identity,
    });
    if (code !== 0)
      throw new StartRefused(`PostgreSQL could not be initialised: ${lastLine(stderr || stdout)}`);
  } finally {
    await rm(passwordFile, { force: true });
  }
  await rename(draft, user.dataDir);
}

const lastLine = (text: string) => text.trim().split('\n').at(-1) ?? '';

function serverSpec(user: PostgresUser, port: number, sockets: string | undefined, url: string): ChildSpec {
  const settings = {
    listen_addresses: '127.0.0.1',
    port: String(port),
    unix_socket_directories: listOfDirectories(sockets === undefined ? [] : [sockets]),
    unix_socket_permissions: '0700',
    max_connections: '200',
    shared_buffers: '128MB',
    password_encryption: 'scram-sha-256',
    timezone: 'UTC',
    log_timezone: 'UTC',
    // Lost races for a unique key are normal, and their statements and values must not be in a log.
    log_min_error_statement: 'panic',
    log_error_verbosity: 'terse',
  };
  const flags = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  return {
    name: 'postgres',
    ...user.command(user.binaries.postgres, ['-D', user.dataDir, ...flags]),
    cwd: dirname(user.dataDir),
    env: serverEnvironment,
    ...user.identity,
    // SIGINT is PostgreSQL's fast stop, which does not wait for clients.
    stopSignal: 'SIGINT',
    backend: true,
    prepare: async () => {
      clearForeignPid(join(user.dataDir, 'postmaster.pid'));
      if (sockets !== undefined) clearForeignPid(socketLock(sockets, port));
    },
    isReady: () => answers(url),
    // ERROR lines are normal (a lost race for a unique key), and the client reports them.
    present: (line) => (/\bPANIC\b|could not (?!receive data|send data)/.test(line) ? line : undefined),
  };
}

/**
 * After a power cut the process id in `postmaster.pid`, or in the lock of the socket, may belong to another process of the same user,
 * and PostgreSQL would refuse to start. The file is removed only when that process is provably not PostgreSQL.
 */
function clearForeignPid(path: string): void {
  try {
    const pid = Number(readFileSync(path, 'utf8').split('\n')[0]);
    const command = readFileSync(`/proc/${String(pid)}/comm`, 'utf8').trim();
    if (command !== 'postgres') rmSync(path);
  } catch {
    // No such file or no such process: PostgreSQL handles that itself.
  }
}

async function ensureDatabase(url: string): Promise<void> {
  await withClient(url, async (client) => {
    const { rowCount } = await client.query('SELECT FROM pg_database WHERE datname = $1', [databaseName]);
    if (rowCount !== 0) return;
    // No service uses these databases, so only the administrator may connect to them.
    await client.query('REVOKE ALL ON DATABASE postgres FROM PUBLIC');
    await client.query('REVOKE ALL ON DATABASE template1 FROM PUBLIC');
    await client.query(`CREATE DATABASE ${databaseName}`);
  });
}
