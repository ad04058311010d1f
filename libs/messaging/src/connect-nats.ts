import type { ServiceName } from '@agentlattice/contracts';
import { connect, errors, type NatsConnection } from '@nats-io/transport-node';

export interface NatsOptions {
  readonly url: string;
  readonly service: ServiceName;
  readonly instance: string;
  /** How long the first connection is tried for; default 15 s. */
  readonly firstWithinMs?: number;
}

/**
 * Connects as the service's user; after the first connection it reconnects forever.
 * @throws an Error when the first connection fails
 */
export async function connectNats(options: NatsOptions): Promise<NatsConnection> {
  const giveUp = Date.now() + (options.firstWithinMs ?? 15_000);
  for (;;)
    try {
      return await connect(connectionOptions(options));
    } catch (error) {
      if (error instanceof errors.AuthorizationError || Date.now() > giveUp) throw error;
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
}

function connectionOptions({ url, service, instance }: NatsOptions) {
  const { protocol, host, username, password } = new URL(url);
  const login = { user: decodeURIComponent(username), pass: decodeURIComponent(password) };
  return {
    servers: host,
    ...(username === '' ? {} : login),
    ...(protocol === 'tls:' ? { tls: {} } : {}),
    name: `${service}-${instance}`,
    // Confines replies to this service: permissions name the prefix.
    inboxPrefix: `_INBOX_${service}`,
    // An Error with a stack per request costs a fifth of the throughput.
    noAsyncTraces: true,
    maxReconnectAttempts: -1,
    reconnectTimeWait: 250,
    reconnectJitter: 250,
    // A server that restarts may refuse the login for a moment; the client must keep reconnecting.
    ignoreAuthErrorAbort: true,
    pingInterval: 10_000,
    timeout: 3_000,
  };
}
