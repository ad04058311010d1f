import { jetstreamManager } from '@nats-io/jetstream';
import { connect, type NatsConnection } from '@nats-io/transport-node';

/** A connection that does not reconnect. */
export const connectNats = (url: string): Promise<NatsConnection> =>
  connect({ ...natsOptions(url), name: 'al-launcher', reconnect: false, timeout: 5_000 });

/** Opens a connection without reconnecting, and closes it in any case. */
export async function withNats<T>(url: string, use: (nc: NatsConnection) => Promise<T>): Promise<T> {
  const nc = await connectNats(url);
  try {
    return await use(nc);
  } finally {
    await nc.close();
  }
}

/** The client takes user and password separately from the server's address. */
export function natsOptions(url: string): { servers: string; user?: string; pass?: string } {
  const { host, username, password } = new URL(url);
  const login = { user: decodeURIComponent(username), pass: decodeURIComponent(password) };
  return { servers: host, ...(username === '' ? {} : login) };
}

/** Whether the server answers and its JetStream is up. */
export async function jetStreamAnswers(url: string): Promise<boolean> {
  try {
    await withNats(url, async (nc) => (await jetstreamManager(nc)).getAccountInfo());
    return true;
  } catch {
    return false;
  }
}
