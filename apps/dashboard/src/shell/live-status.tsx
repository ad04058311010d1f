import { Banner } from '../components/notices.js';
import { clockText } from '../components/time.js';
import { useIsStale } from '../components/time-left.js';
import { useLive } from '../live/live-provider.js';
import { useClock } from '../live/server-clock.js';

/** `Live`, beside the title. */
export function LiveSign() {
  const isStale = useIsStale();
  return (
    <span className="live">
      <span className={isStale ? 'dot off' : 'dot'} aria-hidden="true" />
      {isStale ? 'Not live' : 'Live'}
    </span>
  );
}

/** Since when the page may be old. The buttons stay: the server judges every decision. */
export function NotLiveBanner() {
  const { state, tryNow } = useLive();
  const isStale = useIsStale();
  const nextTry = useClock((now) =>
    state.kind === 'down' && state.nextTryAt !== null
      ? Math.max(0, Math.ceil((state.nextTryAt - now) / 1_000))
      : -1,
  );
  const since = useClock((now) =>
    state.kind === 'down' ? clockText(new Date(state.since).toISOString(), now, true) : '',
  );
  if (!isStale) return null;
  return (
    <Banner
      icon="off"
      tone="warn"
      action={
        <button className="btn" type="button" onClick={tryNow}>
          Try now
        </button>
      }
    >
      <b role="status">Not live since {since}.</b> The list may be old.{' '}
      {nextTry < 0 ? 'Trying again…' : `Trying again in ${String(nextTry)} s.`}
    </Banner>
  );
}
