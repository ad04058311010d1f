import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { eventually, notRun, testDataDirectory, type TestDataDirectory } from '@agentlattice/testkit';
import { openDataDirectory } from '../data-directory.js';
import { type DatabaseAccess, embeddedDatabase } from './database-access.js';
import { withClient } from './database-client.js';
import { asNobody } from './ordinary-user.js';
import { findPostgres } from './postgres-binaries.js';
import { socketDirectory } from './socket-directory.js';

const clientAddress = (url: string) =>
  withClient(url, async (client) => {
    const { rows } = await client.query<{ by: string | null }>('SELECT host(inet_client_addr()) AS by');
    return rows[0]?.by;
  });

function byTcp(url: string): string {
  const made = new URL(url);
  made.searchParams.delete('host');
  return made.href;
}

describe('the socket of the bundled PostgreSQL', () => {
  let directory: TestDataDirectory;
  let database: DatabaseAccess;
  let socket: string;
  beforeAll(async () => {
    directory = await testDataDirectory();
    database = await embeddedDatabase(directory);
    socket = new URL(database.adminUrl).searchParams.get('host') ?? '';
  });
  afterAll(() => directory.remove());

  it('is used by the services and the launcher', async () => {
    expect(await clientAddress(database.adminUrl)).toBeNull();
    expect(await clientAddress(database.of('gateway').url)).toBeNull();
  });

  it('accepts no connection without the password', async () => {
    const wrong = new URL(database.of('gateway').url);
    wrong.password = 'wrong';
    await expect(clientAddress(wrong.href)).rejects.toThrow('password authentication failed');
  });

  it('is in a directory of the server alone', () => {
    expect(statSync(socket).mode & 0o777).toBe(0o700);
    const [name] = readdirSync(socket).filter((file) => !file.endsWith('.lock'));
    expect(statSync(join(socket, name ?? '')).mode & 0o777).toBe(0o700);
  });

  it('exists in addition to TCP on this machine', async () => {
    expect(await clientAddress(byTcp(database.adminUrl))).toBe('127.0.0.1');
  });

  it('does not prevent a start after a power cut', async () => {
    const postgres = directory.group.get('postgres');
    await postgres?.stop();
    const lock = join(socket, `.s.PGSQL.${new URL(database.adminUrl).port}.lock`);
    // The files that a crash leaves behind; the id is of a living process that is not PostgreSQL.
    writeFileSync(lock, `${String(process.pid)}\n${directory.dataDir}\n`);
    postgres?.start();
    await postgres?.ready(30_000);
    expect(await clientAddress(database.adminUrl)).toBeNull();
    expect(Number(readFileSync(lock, 'utf8').split('\n')[0])).not.toBe(process.pid);
  });
});

describe('when there can be no socket', () => {
  it('TCP is used', async () => {
    const parent = mkdtempSync(join(tmpdir(), 'al-long-'));
    const dataDir = join(parent, 'a-directory-with-a-name-that-is-too-long-for-a-socket'.repeat(2));
    mkdirSync(dataDir);
    const directory = await openDataDirectory({ dataDir, print: () => undefined, stopWithinMs: 10_000 });
    try {
      const { adminUrl } = await embeddedDatabase(directory);
      expect(await eventually(() => clientAddress(adminUrl))).toBe('127.0.0.1');
    } finally {
      await directory.group.close();
      rmSync(parent, { recursive: true, force: true });
    }
  });
});

it('a server that root runs as nobody has its socket in a directory that both can use', async () => {
  if (process.getuid?.() !== 0) {
    notRun('the socket of a PostgreSQL as nobody: only root can become nobody');
    return;
  }
  const parent = mkdtempSync(join(tmpdir(), 'al-socket-'));
  chmodSync(parent, 0o700);
  const user = await asNobody(await findPostgres(), join(parent, 'postgres'));
  try {
    const directory = await socketDirectory(user, 5432);
    expect(directory).toBe(join(dirname(user.dataDir), 'socket'));
    const { uid, mode } = statSync(directory ?? '');
    expect({ uid, mode: mode & 0o777 }).toEqual({ uid: 65_534, mode: 0o700 });
  } finally {
    rmSync(dirname(user.dataDir), { recursive: true, force: true });
    rmSync(parent, { recursive: true, force: true });
  }
});
