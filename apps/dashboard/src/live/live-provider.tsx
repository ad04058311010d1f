import type { LiveEvent } from '@agentlattice/contracts';
import { type QueryClient, useQueryClient } from '@tanstack/react-query';
import { createContext, type ReactNode, useContext, useEffect, useMemo, useRef, useState } from 'react';
import { sessionKey } from '../api/session.js';
import { coalesced } from './coalesced.js';
import { type EventStream, openEventStream, type StreamState } from './event-stream.js';

type EventListener = (events: readonly LiveEvent[]) => void;

interface Live {
  readonly state: StreamState;
  readonly tryNow: () => void;
  /** Hears of all events; returns how to stop. */
  readonly listen: (listener: EventListener) => () => void;
}

const LiveContext = createContext<Live | null>(null);

export function useLive(): Live {
  const live = useContext(LiveContext);
  if (live === null) throw new Error('useLive needs a LiveProvider');
  return live;
}

/** The first member of the query keys that an event makes stale. */
function staleKeys(type: string): readonly string[] {
  const [about = ''] = type.split('.');
  const own: Readonly<Record<string, readonly string[]>> = {
    approval: ['approvals', 'overview'],
    policy: ['policies', 'approvals', 'overview'],
    agent: ['agents'],
    delegation: ['agents'],
    // The role and the groups of the reader may be among what changed.
    member: ['members', 'session', 'approvals'],
    channel: ['channels'],
    delivery: ['deliveries'],
    endpoint: ['channels'],
  };
  return own[about] ?? [];
}

const settledWithinMs = 10_000;

/** Reads again what was read so far, because events were missed: since the last one, or before the stream began. */
async function readAgain(queries: QueryClient): Promise<void> {
  const before = queries
    .getQueryCache()
    .getAll()
    // The session is read again whenever the stream is up.
    .filter(({ queryKey }) => queryKey[0] !== sessionKey[0]);
  const limit = Date.now() + settledWithinMs;
  // One that is under way may have been answered before the missed events, and is not begun anew while it runs.
  while (before.some(({ state }) => state.fetchStatus === 'fetching') && Date.now() < limit)
    await new Promise((done) => setTimeout(done, 100));
  await Promise.all(
    before.map(({ queryKey }) => queries.invalidateQueries({ queryKey, exact: true }).catch(() => undefined)),
  );
}

/** Keeps what is shown up to date by the live events of the workspace. */
export function LiveProvider({ children }: { readonly children: ReactNode }) {
  const queries = useQueryClient();
  const [state, setState] = useState<StreamState>({ kind: 'live' });
  const stream = useRef<EventStream>(null);
  const listeners = useRef(new Set<EventListener>());
  useEffect(() => {
    const stale = new Set<string>();
    let hasBegun = false;
    const refresh = coalesced(async () => {
      const keys = [...stale];
      stale.clear();
      await Promise.all(keys.map((key) => queries.invalidateQueries({ queryKey: [key] })));
    });
    const opened = openEventStream({
      onEvents: (events) => {
        for (const listener of listeners.current) listener(events);
        for (const { type } of events) for (const key of staleKeys(type)) stale.add(key);
        refresh();
      },
      onReset: () => void readAgain(queries),
      onState: (next) => {
        setState(next);
        if (next.kind === 'live' && !hasBegun) void readAgain(queries);
        hasBegun ||= next.kind === 'live';
        // The stream ends with its session, and the cookie may hold another one by now.
        if (next.kind === 'live') void queries.invalidateQueries({ queryKey: sessionKey });
      },
      onSignedOut: () => queries.setQueryData(sessionKey, null),
    });
    stream.current = opened;
    return () => opened.close();
  }, [queries]);
  const live = useMemo<Live>(
    () => ({
      state,
      tryNow: () => stream.current?.tryNow(),
      listen: (listener) => {
        listeners.current.add(listener);
        return () => void listeners.current.delete(listener);
      },
    }),
    [state],
  );
  return <LiveContext value={live}>{children}</LiveContext>;
}
