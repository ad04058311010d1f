import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { routes } from '@agentlattice/contracts';
import type { Logger } from '@agentlattice/observability';
import { WebSocket, WebSocketServer } from 'ws';
import { z } from 'zod';
import type { FeedEntry } from '../../application/live-event-listeners.js';
import { mayCall, type Principal } from '../../domain/principal.js';
import { hashOfKey, type PrincipalDirectory } from '../../outbound/principal-directory.js';
import type { Connection, LiveEventStreams } from './live-event-streams.js';

export interface RealtimePorts {
  readonly streams: Pick<LiveEventStreams, 'listen'>;
  readonly directory: Pick<PrincipalDirectory, 'findByHash'>;
  readonly logger: Logger;
}

/** The published client reads these types (decisions §6); a suspension is its `enforcement.triggered`. */
const types: ReadonlyMap<string, string> = new Map([
  ['action.executed', 'action.executed'],
  ['action.denied', 'action.denied'],
  ['policy.changed', 'policy.changed'],
  ['delegation.expired', 'delegation.expired'],
  ['delegation.revoked', 'delegation.revoked'],
  ['agent.suspended', 'enforcement.triggered'],
  ['approval.requested', 'approval.requested'],
  ['approval.escalated', 'approval.escalated'],
  ['approval.approved', 'approval.approved'],
  ['approval.denied', 'approval.denied'],
  ['approval.timed_out', 'approval.timed_out'],
  ['approval.cancelled', 'approval.cancelled'],
  ['approval.auto_resolved', 'approval.auto_resolved'],
]);

const path = '/realtime/v1';
const maxMessageBytes = 4_096;
const maxUnreadBytes = 1024 * 1024;
/** The client sends a message every 30 s. */
const silentMs = 90_000;
const joinWithinMs = 10_000;
/** Codes of RFC 6455 §7.4.1. */
const closing = { malformed: 1007, refused: 1008, restart: 1012, later: 1013 } as const;

const channelMessage = z.object({
  topic: z.string().max(255),
  event: z.string().max(64),
  ref: z.union([z.string().max(64), z.null()]).optional(),
});

/**
 * The subset of Phoenix channels that the published client's `subscribe()` uses: `phx_join` of `gov:<workspace>`, heartbeats,
 * `phx_leave`, and broadcasts of events.
 */
export class Realtime {
  private readonly sockets = new WebSocketServer({
    noServer: true,
    maxPayload: maxMessageBytes,
    perMessageDeflate: false,
  });

  constructor(private readonly ports: RealtimePorts) {}

  serve(server: Server): void {
    server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
      socket.on('error', () => socket.destroy());
      void this.upgrade(request, socket, head).catch((error: unknown) => {
        this.ports.logger.warn({ err: error }, 'a realtime connection could not be opened');
        refuse(socket, 503, 'Service Unavailable');
      });
    });
  }

  /** Closes all connections. */
  stop(): void {
    for (const socket of this.sockets.clients) socket.close(closing.restart, 'the gateway is being stopped');
  }

  private async upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    // The address contains a key, so it is in no log and no error.
    const url = new URL(request.url ?? '/', 'http://gateway');
    if (url.pathname !== path) return refuse(socket, 404, 'Not Found');
    const key = keyOf(request, url);
    if (key === null) return refuse(socket, 401, 'Unauthorized');
    const keyHash = hashOfKey(key);
    const principal = await this.ports.directory.findByHash(keyHash);
    if (principal === undefined) return refuse(socket, 401, 'Unauthorized');
    if (!mayCall(principal, routes.liveEvents.callers)) return refuse(socket, 403, 'Forbidden');
    this.sockets.handleUpgrade(request, socket, head, (opened) => {
      new RealtimeConnection(opened, principal, keyHash, this.ports.streams).begin();
    });
  }
}

/** One socket: it joins its workspace's topic, and gets events until it leaves. */
class RealtimeConnection {
  private leave: (() => void) | undefined;
  private joining = false;
  /** A client may leave while its join is still under way. */
  private wantsToLeave = false;
  private silent: NodeJS.Timeout | undefined;

  constructor(
    private readonly socket: WebSocket,
    private readonly principal: Principal,
    private readonly keyHash: string,
    private readonly streams: Pick<LiveEventStreams, 'listen'>,
  ) {}

  begin(): void {
    this.expectMessage(joinWithinMs);
    this.socket.on('error', () => this.socket.terminate());
    this.socket.on('close', () => {
      clearTimeout(this.silent);
      this.leave?.();
    });
    this.socket.on('message', (data, isBinary) => {
      const message = isBinary ? null : read((data as Buffer).toString());
      if (message === null) return this.socket.close(closing.malformed, 'not a message of a channel');
      this.expectMessage(silentMs);
      void this.handle(message);
    });
  }

  private expectMessage(withinMs: number): void {
    clearTimeout(this.silent);
    this.silent = setTimeout(() => this.socket.terminate(), withinMs).unref();
  }

  private async handle({ topic, event, ref = null }: z.infer<typeof channelMessage>): Promise<void> {
    const own = `gov:${this.principal.orgId}`;
    if (topic === 'phoenix' && event === 'heartbeat') return this.reply(topic, ref, 'ok');
    if (topic !== own) {
      this.reply(topic, ref, 'error', 'this key does not belong to the topic');
      return this.socket.close(closing.refused, 'foreign topic');
    }
    switch (event) {
      case 'phx_join':
        return await this.join(topic, ref);
      case 'phx_leave':
        this.wantsToLeave = true;
        this.leave?.();
        this.leave = undefined;
        return this.reply(topic, ref, 'ok');
      default:
        return this.reply(topic, ref, 'error', 'unknown event');
    }
  }

  private async join(topic: string, ref: string | null): Promise<void> {
    if (this.joining || this.leave !== undefined) return this.reply(topic, ref, 'error', 'joined already');
    this.joining = true;
    this.wantsToLeave = false;
    try {
      const { keyHash, principal } = this;
      const leave = await this.streams.listen(
        { route: routes.liveEvents, keyHash, principal },
        this.connection(topic),
        { lastEventId: undefined, types: new Set(types.keys()) },
      );
      if (this.socket.readyState !== WebSocket.OPEN) return leave();
      if (this.wantsToLeave) {
        leave();
        return this.reply(topic, ref, 'error', 'left before the join was complete');
      }
      this.leave = leave;
      this.reply(topic, ref, 'ok');
    } catch {
      this.reply(topic, ref, 'error', 'try again later');
      this.socket.close(closing.later, 'try again later');
    } finally {
      this.joining = false;
    }
  }

  private connection(topic: string): Connection {
    return {
      send: (entry) => this.write(formOf(entry, topic)),
      // No missed events are sent here.
      whenWritable: () => Promise.resolve(),
      // This protocol cannot report missed events; closing makes the client reconnect.
      reset: () => this.socket.close(closing.restart, 'events were lost'),
      heartbeat: () => {},
      end: (why) =>
        why === 'revoked'
          ? this.socket.close(closing.refused, 'the key is no longer valid')
          : this.socket.close(closing.restart, 'the gateway is being stopped'),
    };
  }

  private reply(topic: string, ref: string | null, status: 'ok' | 'error', reason?: string): void {
    const response = reason === undefined ? {} : { reason };
    this.write(JSON.stringify({ topic, event: 'phx_reply', payload: { status, response }, ref }));
  }

  private write(text: string): void {
    if (this.socket.readyState !== WebSocket.OPEN) return;
    this.socket.send(text);
    if (this.socket.bufferedAmount > maxUnreadBytes) this.socket.terminate();
  }
}

function formOf(entry: FeedEntry, topic: string): string {
  const known = entry.forms.get('phoenix');
  if (known !== undefined) return known;
  const { type, time, org_id, agent_id, data } = entry.event;
  const payload = { event_type: types.get(type) ?? type, timestamp: time, org_id, agent_id, data };
  const text = JSON.stringify({
    topic,
    event: 'broadcast',
    payload: { event: 'governance', payload },
    ref: null,
  });
  entry.forms.set('phoenix', text);
  return text;
}

function read(text: string): z.infer<typeof channelMessage> | null {
  try {
    return channelMessage.safeParse(JSON.parse(text)).data ?? null;
  } catch {
    return null;
  }
}

function keyOf({ headers }: IncomingMessage, { searchParams }: URL): string | null {
  const inHeader = /^Bearer (.+)$/i.exec(headers.authorization ?? '')?.[1];
  const key = inHeader ?? searchParams.get('apikey') ?? '';
  return /^[A-Za-z0-9_-]{1,200}$/.test(key) ? key : null;
}

function refuse(socket: Duplex, status: number, text: string): void {
  socket.end(`HTTP/1.1 ${String(status)} ${text}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`);
}
