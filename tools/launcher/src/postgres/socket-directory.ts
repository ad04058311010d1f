import { chmod, mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { PostgresUser } from './ordinary-user.js';

/** The length of `sun_path`, without its terminating byte. */
const longestPath = process.platform === 'linux' ? 107 : 103;

/**
 * The directory of the server's Unix socket. Only the server's user and root may enter it: in a directory for all users, such as /tmp,
 * another user could make the socket and would receive the proofs of our passwords.
 * @returns undefined when there can be no socket, because its path would be too long or the system has none
 */
export async function socketDirectory(user: PostgresUser, port: number): Promise<string | undefined> {
  const directory = join(dirname(user.dataDir), 'socket');
  const socket = join(directory, socketName(port));
  if (process.platform === 'win32' || Buffer.byteLength(socket) > longestPath) return undefined;
  await mkdir(directory, { recursive: true, mode: 0o700 });
  await chmod(directory, 0o700);
  await user.own(directory);
  return directory;
}

/** The name of the socket in PostgreSQL and its clients. */
const socketName = (port: number) => `.s.PGSQL.${String(port)}`;

/** The file in which the server records the process that uses the socket. */
export const socketLock = (directory: string, port: number) => join(directory, `${socketName(port)}.lock`);

/** A setting that lists directories, each in quotes: a path may hold a comma. */
export const listOfDirectories = (directories: readonly string[]) =>
  directories.map((directory) => `"${directory.replaceAll('"', '""')}"`).join(',');

/** The URL through the socket, as PostgreSQL's clients read it; without `host` it is the URL by TCP. */
export function viaSocket(directory: string | undefined, url: string): string {
  if (directory === undefined) return url;
  const made = new URL(url);
  made.searchParams.set('host', directory);
  return made.href;
}
