import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { extendSession, sessionKey } from '../api/session.js';
import { Banner, errorText } from '../components/notices.js';
import { timeLeftText } from '../domain/time-left.js';
import { useClock } from '../live/server-clock.js';
import { useSession } from '../session/session-context.js';

const warnMs = 2 * 60_000;

/** Two minutes before the session ends; one press extends it, and nothing that was typed is lost. */
export function SessionEnd() {
  const { expires_at } = useSession();
  const queries = useQueryClient();
  const left = useClock((now) => {
    const ms = Date.parse(expires_at) - now;
    return ms <= warnMs ? timeLeftText(ms) : '';
  });
  const isNear = left !== '';
  const isOver = useClock((now) => now >= Date.parse(expires_at));
  const [isConfirmed, setConfirmed] = useState(false);
  useEffect(() => {
    // Every use moves the end, so the one that is known here may be old.
    if (!isNear) return setConfirmed(false);
    void queries.invalidateQueries({ queryKey: sessionKey }).then(() => setConfirmed(true));
  }, [isNear, isOver, queries]);
  const extend = useMutation({
    mutationFn: extendSession,
    onSuccess: (session) => queries.setQueryData(sessionKey, session),
  });
  if (!isNear || !isConfirmed) return null;
  return (
    <Banner
      icon="clock"
      tone="warn"
      role="alert"
      action={
        <button className="btn" type="button" disabled={extend.isPending} onClick={() => extend.mutate()}>
          Stay signed in
        </button>
      }
    >
      <b>Your session ends soon.</b> <span aria-hidden="true">{left} left. What you typed stays.</span>
      {extend.error === null ? null : ` ${errorText(extend.error)}`}
    </Banner>
  );
}
