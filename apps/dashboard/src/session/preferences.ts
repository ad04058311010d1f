import { useSyncExternalStore } from 'react';

/** What a person set for this browser. None of it is secret. */
export interface Preferences {
  readonly theme: 'system' | 'light' | 'dark';
  readonly density: 'comfortable' | 'compact';
  /** Single keys act (`J`, `A`, `?`). */
  readonly keys: boolean;
  /** A sound when a request comes into its last minutes. */
  readonly sound: boolean;
}

const initial: Preferences = { theme: 'system', density: 'comfortable', keys: true, sound: false };
const place = 'al_preferences';
const year = 365 * 24 * 60 * 60;

let current = read();
const listeners = new Set<() => void>();

function read(): Preferences {
  try {
    const stored = JSON.parse(localStorage.getItem(place) ?? '{}') as Partial<Preferences>;
    return { ...initial, ...stored };
  } catch {
    return initial;
  }
}

/** The theme goes into a cookie as well: the server writes it into the page, so that the first paint has it. */
export function setPreferences(change: Partial<Preferences>): void {
  current = { ...current, ...change };
  try {
    localStorage.setItem(place, JSON.stringify(current));
  } catch {
    // A browser that keeps nothing forgets them with the page.
  }
  document.cookie = `al_theme=${current.theme}; Path=/; Max-Age=${String(year)}; SameSite=Lax`;
  document.documentElement.dataset['theme'] = current.theme;
  for (const listener of listeners) listener();
}

export const usePreferences = (): Preferences =>
  useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => current,
  );
