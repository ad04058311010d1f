import type { Approval } from '../../api/types.js';
import { Icon } from '../../components/icon.js';
import { cueViews } from '../../requests/cues.js';

/** What the system knows, as sentences with their evidence. */
export function BeforeYouDecide({ approval }: { readonly approval: Approval }) {
  const views = cueViews(approval).filter(({ key }) => key !== 'condition' && key !== 'votes');
  if (views.length === 0) return null;
  return (
    <section className="card" aria-labelledby="before">
      <h2 id="before">Before you decide</h2>
      <ul className="facts">
        {views.map(({ key, level, icon, text, evidence }) => (
          <li key={key} className={level === 'warn' ? 'w' : undefined}>
            <Icon name={icon} />
            <span>
              {level === 'warn' ? <b>{text}.</b> : <>{text}.</>}
              {evidence === undefined ? null : <> {evidence}</>}
            </span>
          </li>
        ))}
      </ul>
    </section>
  );
}
