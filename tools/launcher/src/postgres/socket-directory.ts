import { chmod, mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { PostgresUser } from './ordinary-user.js';

/** What `sun_path` holds on the platforms that have it, without the byte that ends it. */
const longestPath = process.platform === 'linux' ? 107 : 103;

/**
 * Where the server's Unix socket lives: a directory that the server's user and root may enter and no other user, because a
 * socket in a directory for all, such as /tmp, could be another user's, who would be sent our passwords' proofs.
 * @returns undefined where there can be no socket, because its path would be too long or the system has none
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

/** As PostgreSQL and its clients name it. */
const socketName = (port: number) => `.s.PGSQL.${String(port)}`;

/** Where the server notes which process uses the socket. */
export const socketLock = (directory: string, port: number) => join(directory, `${socketName(port)}.lock`);

/** A setting that lists directories, each in quotes: a path may hold a comma. */
export const listOfDirectories = (directories: readonly string[]) =>
  directories.map((directory) => `"${directory.replaceAll('"', '""')}"`).join(',');

/** The URL by way of the socket, as PostgreSQL's clients read it; without `host` it is the URL by TCP. */
export function byWayOf(directory: string | undefined, url: string): string {
  if (directory === undefined) return url;
  const made = new URL(url);
  made.searchParams.set('host', directory);
  return made.href;
}
