import { useState } from 'react';
import { HostileText } from '../components/hostile-text.js';
import { excerptOf } from '../domain/excerpt.js';
import { plural } from '../domain/time-left.js';

/** The place of a value that the server keeps to itself. */
export const Masked = () => (
  <>
    <span className="mask" aria-hidden="true">
      ••••••••
    </span>{' '}
    <span className="dim">hidden</span>
  </>
);

/** A value on one line, or short enough to stand in one cell. */
export const isBlock = (text: string): boolean => text.includes('\n') || text.length > 160;

const windowLines = 200;

interface BlockProps {
  readonly label: string;
  readonly text: string;
}

/** A long value: its begin and its end, and all of it on request. The end is shown as well, since tails hide things. */
export function BlockValue({ label, text }: BlockProps) {
  const [shownLines, setShownLines] = useState<number | null>(null);
  const { head, tail, omitted, characters, lines } = excerptOf(text);
  const name =
    lines > 1 ? `${label}, ${plural(lines, 'line')}` : `${label}, ${plural(characters, 'character')}`;
  const all = text.split('\n');
  const rest = shownLines === null ? 0 : all.length - shownLines;
  return (
    <div className="block">
      <pre className="code" tabIndex={0} role="group" aria-label={name}>
        {shownLines === null ? (
          <HostileText text={head} />
        ) : (
          <HostileText text={all.slice(0, shownLines).join('\n')} />
        )}
        {shownLines === null && omitted > 0 ? (
          <>
            {'\n'}
            <span className="gap">… {plural(omitted, 'character')} not shown …</span>
            {'\n'}
            <HostileText text={tail} />
          </>
        ) : null}
      </pre>
      {omitted > 0 && shownLines === null ? (
        <button
          className="all"
          type="button"
          onClick={() => setShownLines(Math.min(windowLines, all.length))}
        >
          {lines > 1 ? `Show all ${plural(lines, 'line')}` : `Show all ${plural(characters, 'character')}`}
        </button>
      ) : null}
      {rest > 0 ? (
        <button className="all" type="button" onClick={() => setShownLines((shownLines ?? 0) + windowLines)}>
          Show {plural(Math.min(rest, windowLines), 'more line')}, {plural(rest, 'line')} left
        </button>
      ) : null}
    </div>
  );
}

/** Copies the exact text; what is shown may hold marks that are not part of it. */
export function CopyButton({ text, what }: { readonly text: string; readonly what: string }) {
  const [state, setState] = useState<'' | 'Copied' | 'Not copied'>('');
  const copy = () =>
    navigator.clipboard.writeText(text).then(
      () => setState('Copied'),
      () => setState('Not copied'),
    );
  return (
    <button className="btn quiet" type="button" aria-label={`Copy ${what}`} onClick={() => void copy()}>
      <span className="i i-copy" aria-hidden="true" />
      <span role="status">{state}</span>
    </button>
  );
}
