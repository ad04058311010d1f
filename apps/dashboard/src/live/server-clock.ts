import { useSyncExternalStore } from 'react';
import { type ClockSample, offsetOf, withSample } from '../domain/clock-offset.js';

let samples: readonly ClockSample[] = [];
let offset = 0;

/** Takes a reading of the server's clock; texts that are no time are left out. */
export function noteServerTime(
  time: string | undefined,
  { sentAt, cameAt }: { readonly sentAt: number; readonly cameAt: number },
): void {
  const serverTime = Date.parse(time ?? '');
  if (Number.isNaN(serverTime)) return;
  samples = withSample(samples, { serverTime, sentAt, cameAt });
  offset = offsetOf(samples);
}

/** The server's time now, as well as it is known here. */
export const serverNow = (): number => Date.now() + offset;
export const clockOffset = (): number => offset;

const listeners = new Set<() => void>();
let timer: ReturnType<typeof setInterval> | undefined;
const tell = () => listeners.forEach((listener) => listener());

/** One ticker for the whole page; it rests while the tab is hidden or no one listens. */
function follow(): void {
  const wanted = listeners.size > 0 && !document.hidden;
  if (wanted && timer === undefined) timer = setInterval(tell, 1_000);
  if (!wanted && timer !== undefined) {
    clearInterval(timer);
    timer = undefined;
  }
}
document.addEventListener('visibilitychange', () => {
  follow();
  if (!document.hidden) tell();
});

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  follow();
  return () => {
    listeners.delete(listener);
    follow();
  };
}

/** What `read` makes of the server's time. The component renders again only when that changes, so it has to be a plain value. */
export const useClock = <T extends string | number | boolean>(read: (now: number) => T): T =>
  useSyncExternalStore(subscribe, () => read(serverNow()));
