import { constants } from 'node:os';

/** Why a gate stops waiting without a decision. */
export type Stop =
  { readonly kind: 'timeout' } | { readonly kind: 'signal'; readonly signal: NodeJS.Signals };

export interface StopWatch {
  /** Aborted with the `Stop` as its reason. */
  readonly signal: AbortSignal;
  readonly stopped: Stop | null;
  /** Stops watching signals. */
  release(): void;
}

const watched = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
/** The longest timer of Node. */
const maxTimerMs = 2 ** 31 - 1;

export const exitCodeOf = (signal: NodeJS.Signals): number => 128 + constants.signals[signal];

/** Watches for the time-out and for signals that end a program. A second signal ends it at once. */
export function watchForStop(timeoutMs: number | null): StopWatch {
  const controller = new AbortController();
  let stopped: Stop | null = null;
  const stop = (why: Stop) => {
    stopped = why;
    controller.abort(why);
  };
  const onSignal = (signal: NodeJS.Signals) => {
    if (stopped !== null) process.exit(exitCodeOf(signal));
    stop({ kind: 'signal', signal });
  };
  for (const signal of watched) process.on(signal, onSignal);
  const timer =
    timeoutMs === null
      ? undefined
      : setTimeout(
          () => {
            if (stopped === null) stop({ kind: 'timeout' });
          },
          Math.min(timeoutMs, maxTimerMs),
        );
  return {
    signal: controller.signal,
    get stopped() {
      return stopped;
    },
    release() {
      clearTimeout(timer);
      for (const signal of watched) process.off(signal, onSignal);
    },
  };
}
