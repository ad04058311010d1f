import type { LiveEvent } from '@agentlattice/contracts';
import { createParser } from 'eventsource-parser';
import { noteServerTime, serverNow } from './server-clock.js';

export type StreamState =
  | { readonly kind: 'live' }
  /** Since when nothing comes, and when the next attempt begins (null: it is under way). */
  | { readonly kind: 'down'; readonly since: number; readonly nextTryAt: number | null };

interface StreamListener {
  readonly onEvents: (events: readonly LiveEvent[]) => void;
  /** Events were missed that cannot be sent any longer: everything has to be read again. */
  readonly onReset: () => void;
  readonly onState: (state: StreamState) => void;
  readonly onSignedOut: () => void;
}

/** The server says something every 15 s; after three times that the connection is dead. */
const silentMs = 45_000;
const firstPauseMs = 500;
const longestPauseMs = 8_000;

export interface EventStream {
  tryNow(): void;
  close(): void;
}

/** Live events of the workspace. Connects again by itself and goes on after the last event that came. */
export function openEventStream({ onEvents, onReset, onState, onSignedOut }: StreamListener): EventStream {
  let lastId: string | undefined;
  let pauseMs = firstPauseMs;
  let downSince: number | null = serverNow();
  let connection: AbortController | undefined;
  let retry: ReturnType<typeof setTimeout> | undefined;
  let closed = false;

  const connect = async (): Promise<void> => {
    retry = undefined;
    const own = new AbortController();
    connection = own;
    let silence = setTimeout(() => own.abort(), silentMs);
    try {
      const sentAt = Date.now();
      const response = await fetch('/api/v1/events', {
        credentials: 'same-origin',
        signal: own.signal,
        headers: lastId === undefined ? {} : { 'last-event-id': lastId },
      });
      if (response.status === 401) return onSignedOut();
      if (!response.ok || response.body === null) throw new Error(`status ${String(response.status)}`);
      downSince = null;
      onState({ kind: 'live' });
      let isFirst = true;
      let came: LiveEvent[] = [];
      const parser = createParser({
        onEvent: ({ id, event, data }) => {
          if (id !== undefined && id !== '') lastId = id;
          if (event === 'reset') onReset();
          else if (event === 'heartbeat') {
            // Only the first one answers a question whose sending time is known.
            if (isFirst)
              noteServerTime((JSON.parse(data) as { time?: string }).time, { sentAt, cameAt: Date.now() });
            isFirst = false;
          } else came.push(JSON.parse(data) as LiveEvent);
        },
      });
      const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
      for (;;) {
        const { done, value } = await reader.read();
        if (done) break;
        pauseMs = firstPauseMs;
        clearTimeout(silence);
        silence = setTimeout(() => own.abort(), silentMs);
        parser.feed(value);
        if (came.length > 0) onEvents(came);
        came = [];
      }
    } catch {
      // Whatever broke it: the next attempt tells whether it lasts.
    } finally {
      clearTimeout(silence);
    }
    if (!closed && connection === own) wait();
  };

  const wait = (): void => {
    downSince ??= serverNow();
    const pause = pauseMs / 2 + Math.random() * (pauseMs / 2);
    pauseMs = Math.min(pauseMs * 2, longestPauseMs);
    onState({ kind: 'down', since: downSince, nextTryAt: serverNow() + pause });
    retry = setTimeout(() => void connect(), pause);
  };

  const tryNow = (): void => {
    if (retry === undefined) return;
    clearTimeout(retry);
    onState({ kind: 'down', since: downSince ?? serverNow(), nextTryAt: null });
    void connect();
  };
  const lost = () => connection?.abort();
  window.addEventListener('online', tryNow);
  window.addEventListener('offline', lost);
  void connect();
  return {
    tryNow,
    close: () => {
      closed = true;
      clearTimeout(retry);
      connection?.abort();
      window.removeEventListener('online', tryNow);
      window.removeEventListener('offline', lost);
    },
  };
}
