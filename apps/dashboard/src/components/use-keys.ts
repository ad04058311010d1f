import { useEffect, useRef } from 'react';
import { usePreferences } from '../session/preferences.js';

/** What a key does. Return nothing; the key's own effect is prevented. */
export type KeyActions = Readonly<Record<string, () => void>>;

const takesText = 'input, textarea, select, [contenteditable="true"]';

/** Whether keys mean something else now: text, a dialog, or a shortcut of the browser. */
function isTaken(event: KeyboardEvent): boolean {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return true;
  if (event.target instanceof Element && event.target.closest(takesText) !== null) return true;
  return document.querySelector('dialog[open], [popover]:popover-open') !== null;
}

const sequenceMs = 1_500;
/** After this key the next one chooses a page. */
const prefix = 'g';

/**
 * Single keys of a page; `g a` is G and then A. None of them decides: they move the focus or open something. They can be switched off
 * in the preferences.
 */
export function useKeys(actions: KeyActions): void {
  const { keys: areOn } = usePreferences();
  const current = useRef(actions);
  useEffect(() => {
    current.current = actions;
  });
  useEffect(() => {
    if (!areOn) return;
    let before = { key: '', at: -Infinity };
    const press = (event: KeyboardEvent) => {
      if (isTaken(event)) return;
      const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
      const isSecond = before.key === prefix && performance.now() - before.at < sequenceMs;
      const act = current.current[isSecond ? `${prefix} ${key}` : key];
      before = { key, at: performance.now() };
      if (act === undefined) return;
      event.preventDefault();
      act();
    };
    document.addEventListener('keydown', press);
    return () => document.removeEventListener('keydown', press);
  }, [areOn]);
}
