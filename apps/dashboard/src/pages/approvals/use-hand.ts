import { type RefObject, useEffect, useMemo, useRef } from 'react';
import { byDeadline, type Queued } from '../../domain/queue.js';

const restsAfterMs = 3_000;

export interface Hand {
  /** The request that the pointer or the focus is on, while one of them was used in the list within three seconds; else null. */
  anchorIn<R extends Queued>(requests: readonly R[]): R | null;
  isOnReceipt(id: string): boolean;
}

/** Knows whether the reader is using the list, so that nothing moves under the pointer or the focus. */
export function useHand(list: RefObject<HTMLElement | null>): Hand {
  const usedAt = useRef(-Infinity);
  const over = useRef<Element | null>(null);
  useEffect(() => {
    const { current } = list;
    if (current === null) return;
    const use = (event: Event) => {
      usedAt.current = performance.now();
      if (event.target instanceof Element && event instanceof PointerEvent)
        over.current = event.target.closest('article');
    };
    const leave = () => {
      over.current = null;
    };
    const names = ['pointermove', 'pointerdown', 'keydown'] as const;
    for (const name of names) current.addEventListener(name, use, { passive: true });
    current.addEventListener('pointerleave', leave);
    return () => {
      for (const name of names) current.removeEventListener(name, use);
      current.removeEventListener('pointerleave', leave);
    };
  });
  return useMemo<Hand>(
    () => ({
      anchorIn: (requests) => {
        if (performance.now() - usedAt.current > restsAfterMs) return null;
        const ids = [document.activeElement?.closest('article'), over.current].map(
          (element) => element?.getAttribute('data-id') ?? '',
        );
        return (
          requests
            .filter(({ id }) => ids.includes(id))
            .sort(byDeadline)
            .at(-1) ?? null
        );
      },
      isOnReceipt: (id) => {
        const receipt = document.querySelector(`[data-receipt="${CSS.escape(id)}"]`);
        return receipt !== null && (receipt.matches(':hover') || receipt.contains(document.activeElement));
      },
    }),
    [],
  );
}
