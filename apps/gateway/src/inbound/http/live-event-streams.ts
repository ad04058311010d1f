import { Refused, type Route, Unavailable } from '@agentlattice/contracts';
import type { Logger } from '@agentlattice/observability';
import type { LiveEventFeed } from '../../application/live-event-feed.js';
import type { FeedEntry, Listener } from '../../application/live-event-listeners.js';
import { mayCall, type Principal } from '../../domain/principal.js';
import type { PrincipalDirectory } from '../../outbound/principal-directory.js';
import type { GatewayReply, GatewayRequest } from './http-request.js';

/** A reader with more than this unread is disconnected; it goes on from its last id. */
const maxUnreadBytes = 1024 * 1024;
/** While more than this is unread, no more missed events are sent. */
const pauseAboveBytes = 256 * 1024;
/** A client that reads nothing of its missed events for so long is disconnected. */
const readsWithinMs = 10_000;
const heartbeatEveryMs = 15_000;
/** How often the keys of listeners are checked; a revoked key must be worth nothing after a second. */
const checkKeysEveryMs = 400;
export const streamLimits = { perWorkspace: 6_000, inAll: 10_000 };

export interface LiveEventStreamsPorts {
  readonly feed: LiveEventFeed;
  readonly directory: Pick<
    PrincipalDirectory,
    'findByHash' | 'becomesFresh' | 'isFresh' | 'generationSeen' | 'now'
  >;
  readonly logger: Logger;
}

/** The connection of one listener, by its transport. */
export interface Connection {
  readonly send: (entry: FeedEntry) => void;
  /** Resolves when more missed events may be sent, or the connection has ended. */
  readonly whenWritable: () => Promise<void>;
  readonly reset: (id: string) => void;
  readonly heartbeat: (id: string, now: Date) => void;
  /** The key is no longer valid, or this process stops. */
  readonly end: (why: 'revoked' | 'stopping') => void;
}

interface Open {
  readonly route: Route;
  readonly keyHash: string;
  readonly principal: Principal;
  readonly connection: Connection;
  caughtUp: boolean;
}

/**
 * The listeners of live events of all transports: limited in number, with heartbeats, and disconnected when their key ends.
 * Events are delivered only while the keys were checked within the last second.
 */
export class LiveEventStreams {
  private readonly open = new Set<Open>();
  private readonly perWorkspace = new Map<string, number>();
  private heartbeats: NodeJS.Timeout | undefined;
  private keyTimer: NodeJS.Timeout | undefined;
  private checked: { readonly generation: number; readonly at: number } | undefined;
  private checking: Promise<boolean> | undefined;
  private stopped = false;

  constructor(private readonly ports: LiveEventStreamsPorts) {}

  get count(): number {
    return this.open.size;
  }

  /**
   * Delivers events until `leave` is called.
   * @throws Unavailable when too many listen, or the stream of events cannot be read
   */
  async listen(
    { route, keyHash, principal }: Pick<Open, 'route' | 'keyHash' | 'principal'>,
    connection: Connection,
    options: { readonly lastEventId: string | undefined; readonly types: ReadonlySet<string> | null },
  ): Promise<() => void> {
    const { orgId } = principal;
    const count = this.perWorkspace.get(orgId) ?? 0;
    if (this.stopped) throw new Unavailable('this gateway is being stopped');
    if (count >= streamLimits.perWorkspace || this.open.size >= streamLimits.inAll)
      throw new Unavailable('too many clients listen to live events already');
    const one: Open = { route, keyHash, principal, connection, caughtUp: false };
    this.add(one);
    const listener: Listener = {
      orgId,
      wantsActions: options.types !== null && [...options.types].some((type) => type.startsWith('action.')),
      agentIds: principal.kind === 'agent' ? new Set([principal.agent.id]) : null,
      deliver: (entry) => {
        if (options.types === null || options.types.has(entry.event.type)) connection.send(entry);
      },
      whenWritable: connection.whenWritable,
      reset: connection.reset,
    };
    try {
      const leaveFeed = await this.ports.feed.join(listener, options.lastEventId);
      one.caughtUp = true;
      this.beat(one);
      return () => {
        leaveFeed();
        this.remove(one);
      };
    } catch (error) {
      this.remove(one);
      if (error instanceof Refused) throw error;
      this.ports.logger.warn({ err: error }, 'the event stream cannot be read for a listener');
      throw new Unavailable('live events cannot be read at the moment');
    }
  }

  /** @returns whether events may be delivered: the keys of all listeners were checked after the last change of keys */
  mayDeliver(): Promise<boolean> {
    const { directory } = this.ports;
    if (directory.isFresh() && this.checked?.generation === directory.generationSeen)
      return Promise.resolve(true);
    return this.checkKeys();
  }

  /** Refuses new listeners and disconnects the others, which reconnect elsewhere. */
  stop(): void {
    this.stopped = true;
    clearInterval(this.heartbeats);
    clearInterval(this.keyTimer);
    for (const { connection } of [...this.open]) connection.end('stopping');
  }

  private add(one: Open): void {
    const { orgId } = one.principal;
    this.open.add(one);
    this.perWorkspace.set(orgId, (this.perWorkspace.get(orgId) ?? 0) + 1);
    this.heartbeats ??= setInterval(() => this.beatAll(), heartbeatEveryMs).unref();
    this.keyTimer ??= setInterval(() => void this.checkKeys(), checkKeysEveryMs).unref();
  }

  private remove(one: Open): void {
    if (!this.open.delete(one)) return;
    const { orgId } = one.principal;
    const count = (this.perWorkspace.get(orgId) ?? 1) - 1;
    if (count === 0) this.perWorkspace.delete(orgId);
    else this.perWorkspace.set(orgId, count);
    if (this.open.size > 0) return;
    clearInterval(this.heartbeats);
    clearInterval(this.keyTimer);
    this.heartbeats = this.keyTimer = undefined;
  }

  private beatAll(): void {
    for (const one of this.open) if (one.caughtUp) this.beat(one);
  }

  /** With the time of the database, which decides deadlines: a page corrects its own clock by it. */
  private beat({ connection }: Open): void {
    connection.heartbeat(this.ports.feed.cursor, new Date(this.ports.directory.now()));
  }

  /** One check at a time; it sees every change from before it began. */
  private checkKeys(): Promise<boolean> {
    this.checking ??= this.look().finally(() => {
      this.checking = undefined;
    });
    return this.checking;
  }

  private async look(): Promise<boolean> {
    const { directory, logger } = this.ports;
    try {
      if (!(await directory.becomesFresh())) return false;
      const generation = directory.generationSeen;
      const now = directory.now();
      const unchanged = this.checked?.generation === generation;
      for (const one of [...this.open]) {
        const { expiresAt } = one.principal;
        if (unchanged && (expiresAt === null || expiresAt > now)) continue;
        if (!(await this.mayListen(one))) one.connection.end('revoked');
      }
      this.checked = { generation, at: now };
      return true;
    } catch (error) {
      logger.warn({ err: error }, 'the keys of listeners to live events cannot be checked');
      return false;
    }
  }

  /** Whether the key is still of the same person or agent, with rights to this route. */
  private async mayListen({ keyHash, principal, route }: Open): Promise<boolean> {
    const now = await this.ports.directory.findByHash(keyHash);
    return (
      now !== undefined &&
      now.orgId === principal.orgId &&
      now.kind === principal.kind &&
      route.callers !== 'public' &&
      mayCall(now, route.callers)
    );
  }
}

/** The client reconnects after a random time, so that not all clients reconnect at once. */
const retryHintMs = () => 500 + Math.floor(Math.random() * 2_000);

/** Server-sent events on an answer that does not end (WHATWG HTML, server-sent events). */
export function eventStreamOn({ raw }: GatewayReply): Connection {
  const write = (frame: string) => {
    if (raw.writableEnded || raw.destroyed) return;
    raw.write(frame);
    if (raw.writableLength > maxUnreadBytes) raw.destroy();
  };
  return {
    send: (entry) => {
      let frame = entry.forms.get('sse');
      if (frame === undefined) {
        frame = frameOf(entry.id, entry.event.type, entry.event);
        entry.forms.set('sse', frame);
      }
      write(frame);
    },
    whenWritable: () => whenWritable(raw),
    reset: (id) => write(frameOf(id, 'reset', {})),
    heartbeat: (id, now) => write(frameOf(id, 'heartbeat', { time: now.toISOString() })),
    end: (why) => {
      if (why === 'stopping') write(`retry: ${String(retryHintMs())}\n\n`);
      raw.end();
    },
  };
}

async function whenWritable(raw: GatewayReply['raw']): Promise<void> {
  if (raw.destroyed || raw.writableEnded || raw.writableLength < pauseAboveBytes) return;
  await new Promise<void>((resolve) => {
    const timer = setTimeout(() => raw.destroy(), readsWithinMs).unref();
    const done = () => {
      clearTimeout(timer);
      raw.off('drain', done).off('close', done);
      resolve();
    };
    raw.once('drain', done).once('close', done);
  });
}

const frameOf = (id: string, type: string, data: object) =>
  `id: ${id}\nevent: ${type}\ndata: ${JSON.stringify(data)}\n\n`;

/** The headers that hooks have set; an answer of this kind is written without Fastify. */
const headersOf = (reply: GatewayReply): Record<string, string> =>
  Object.fromEntries(
    Object.entries(reply.getHeaders()).flatMap(([name, value]) =>
      typeof value === 'string' ? [[name, value]] : [],
    ),
  );

/** Begins the answer; after that, errors can only end it. */
export function beginEventStream(request: GatewayRequest, reply: GatewayReply): void {
  reply.hijack();
  reply.raw.writeHead(200, {
    ...headersOf(reply),
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-store',
    // Proxies that buffer answers would delay events.
    'x-accel-buffering': 'no',
    'x-request-id': request.id,
  });
  // The request is answered; later events belong to no span.
  request.span?.end({ attributes: { 'http.response.status_code': 200 } });
  delete request.span;
}
