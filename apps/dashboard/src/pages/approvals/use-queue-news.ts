import { useEffect, useRef } from 'react';
import { useAnnounce } from '../../components/announcer.js';
import { windowMsOf } from '../../components/time-left.js';
import { plural, urgencyOf } from '../../domain/time-left.js';
import { useClock } from '../../live/server-clock.js';
import { usePreferences } from '../../session/preferences.js';
import type { Row } from './use-queue.js';

const announceEveryMs = 10_000;

/** Says that new requests came, at most once in ten seconds, and sounds when one comes into its last minutes, if that is wanted. */
export function useQueueNews(rows: readonly Row[], isLoaded: boolean): void {
  const announce = useAnnounce();
  const { sound } = usePreferences();
  const known = useRef<Set<string> | null>(null);
  const fresh = useRef(0);
  const saidAt = useRef(-Infinity);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  useEffect(() => {
    if (!isLoaded) return;
    const ids = rows.map(({ approval }) => approval.id);
    const before = known.current;
    known.current = new Set([...(before ?? []), ...ids]);
    if (before === null) return;
    fresh.current += ids.filter((id) => !before.has(id)).length;
    if (fresh.current === 0 || timer.current !== undefined) return;
    const wait = Math.max(0, saidAt.current + announceEveryMs - performance.now());
    timer.current = setTimeout(() => {
      announce(plural(fresh.current, 'new request'));
      fresh.current = 0;
      saidAt.current = performance.now();
      timer.current = undefined;
    }, wait);
  }, [rows, isLoaded, announce]);
  useEffect(() => () => clearTimeout(timer.current), []);

  const urgent = useClock(
    (now) =>
      rows.filter(
        ({ approval, outcome }) =>
          outcome === null &&
          urgencyOf(Date.parse(approval.timeout_at) - now, windowMsOf(approval)) === 'now',
      ).length,
  );
  const urgentBefore = useRef(urgent);
  useEffect(() => {
    if (sound && urgent > urgentBefore.current) playTone();
    urgentBefore.current = urgent;
  }, [urgent, sound]);
}

function playTone(): void {
  const audio = new AudioContext();
  const tone = new OscillatorNode(audio, { frequency: 660 });
  const volume = new GainNode(audio, { gain: 0.08 });
  tone.connect(volume).connect(audio.destination);
  tone.start();
  tone.stop(audio.currentTime + 0.18);
  tone.onended = () => void audio.close();
}
