import { Link } from '@tanstack/react-router';
import { Icon } from '../../components/icon.js';
import type { LoadedEntry } from './entry-page.js';

/** How the entry hangs together with the one before and the one after it. */
export function EntryHashes({ loaded: { entry, event, computed, after } }: { readonly loaded: LoadedEntry }) {
  const { seq, prev_hash } = entry;
  const own = computed?.own ?? event?.leaf_hash ?? null;
  return (
    <section className="card" aria-labelledby="hashes">
      <h2 id="hashes">Hash links</h2>
      <dl className="hashes">
        <div>
          <dt>Hash of the entry before</dt>
          <dd>
            <code>{prev_hash}</code>
            {computed === null ? null : (
              <Match isMatch={computed.before === prev_hash}>
                {seq === 0 ? 'the first entry has none' : 'computed here from that entry: the same'}
              </Match>
            )}
          </dd>
        </div>
        <div>
          <dt>Hash of this entry</dt>
          <dd>
            <code>{own ?? 'unknown'}</code>
            {computed === null || event === undefined ? null : (
              <Match isMatch={computed.own === event.leaf_hash}>computed here from its bytes: the same</Match>
            )}
          </dd>
        </div>
        <div>
          <dt>What the next entry names</dt>
          <dd>
            {after === null ? (
              <span className="soft">This is the newest entry.</span>
            ) : (
              <>
                <code>{after.prev_hash}</code>
                {own === null ? null : (
                  <Match isMatch={after.prev_hash === own}>the hash of this entry</Match>
                )}
              </>
            )}
          </dd>
        </div>
      </dl>
      {computed === null ? (
        <p className="fine">This browser computes hashes only over https, so they were not compared here.</p>
      ) : null}
      <nav className="links-line" aria-label="Neighbouring entries">
        {seq === 0 ? null : (
          <Link className="btn" to="/audit/$seq" params={{ seq: String(seq - 1) }}>
            Previous entry
          </Link>
        )}
        {after === null ? null : (
          <Link className="btn" to="/audit/$seq" params={{ seq: String(seq + 1) }}>
            Next entry
          </Link>
        )}
      </nav>
    </section>
  );
}

const Match = ({ isMatch, children }: { readonly isMatch: boolean; readonly children: string }) => (
  <span className={`tag ${isMatch ? 'ok' : 'bad'}`}>
    <Icon name={isMatch ? 'check' : 'warn'} />
    {isMatch ? children : 'not the same as what was computed here'}
  </span>
);
