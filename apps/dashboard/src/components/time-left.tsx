import { durationText, type Urgency, timeLeftSpoken, timeLeftText, urgencyOf } from '../domain/time-left.js';
import { useClock } from '../live/server-clock.js';
import { useLive } from '../live/live-provider.js';
import { Icon } from './icon.js';
import { clockText } from './time.js';

export interface Deadline {
  readonly timeout_at: string;
  readonly created_at: string;
  readonly window_seconds?: number | undefined;
}

/** The whole time that the request had. */
export const windowMsOf = ({ timeout_at, created_at, window_seconds }: Deadline): number =>
  window_seconds === undefined ? Date.parse(timeout_at) - Date.parse(created_at) : window_seconds * 1_000;

const staleAfterMs = 5_000;

/** Whether the times shown may be old, because no live event came for five seconds. */
export function useIsStale(): boolean {
  const { state } = useLive();
  return useClock((now) => state.kind === 'down' && now - state.since > staleAfterMs);
}

export function useUrgency(deadline: Deadline): Urgency {
  const windowMs = windowMsOf(deadline);
  return useClock((now) => urgencyOf(Date.parse(deadline.timeout_at) - now, windowMs));
}

export const useIsOver = ({ timeout_at }: Pick<Deadline, 'timeout_at'>): boolean =>
  useClock((now) => now >= Date.parse(timeout_at));

/** `4:10`, with words for those who listen. */
export function TimeLeftText({
  deadline,
  suffix = '',
}: {
  readonly deadline: Deadline;
  readonly suffix?: string;
}) {
  const end = Date.parse(deadline.timeout_at);
  const shown = useClock((now) => (now >= end ? '' : timeLeftText(end - now)));
  const spoken = useClock((now) => (now >= end ? '' : timeLeftSpoken(end - now)));
  const isStale = useIsStale();
  if (shown === '') return <>Time is up, checking…</>;
  return (
    <>
      <span aria-hidden="true">
        {isStale ? 'about ' : ''}
        {shown}
        {suffix}
      </span>
      <span className="sr">
        {isStale ? 'about ' : ''}
        {spoken} left
      </span>
    </>
  );
}

/** How much of the window is left, in whole hundredths. */
export function Meter({ deadline }: { readonly deadline: Deadline }) {
  const windowMs = windowMsOf(deadline);
  const end = Date.parse(deadline.timeout_at);
  const percent = useClock((now) => Math.max(0, Math.min(100, Math.ceil(((end - now) / windowMs) * 100))));
  return (
    <svg className="meter" viewBox="0 0 100 4" preserveAspectRatio="none" aria-hidden="true">
      <rect width="100" height="4" />
      <rect width={percent} height="4" />
    </svg>
  );
}

/** The left column of a tile: the only large text, the bar, and what happens at zero. */
export function TimeColumn({ deadline }: { readonly deadline: Deadline }) {
  const urgency = useUrgency(deadline);
  const endsAt = useClock((now) => clockText(deadline.timeout_at, now));
  return (
    <div className={`when ${urgency}`}>
      <div className="left" role="timer" aria-live="off">
        <Icon name={urgency === 'now' ? 'alarm' : 'clock'} />
        <TimeLeftText deadline={deadline} />
      </div>
      <Meter deadline={deadline} />
      <div className="at">
        <span className="desk">
          of {durationText(windowMsOf(deadline))}
          <br />
        </span>
        denied at {endsAt}
      </div>
    </div>
  );
}

/** The time left as a label, for the head of a dialog. */
export function TimeLeftTag({ deadline }: { readonly deadline: Deadline }) {
  const urgency = useUrgency(deadline);
  const tone = { calm: 'flat', soon: 'warn', now: 'bad' }[urgency];
  return (
    <span className={`tag ${tone}`} role="timer" aria-live="off">
      <Icon name={urgency === 'now' ? 'alarm' : 'clock'} />
      <TimeLeftText deadline={deadline} suffix=" left" />
    </span>
  );
}
