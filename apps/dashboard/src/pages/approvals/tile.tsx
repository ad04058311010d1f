import { Link } from '@tanstack/react-router';
import { memo, useEffect } from 'react';
import type { Approval } from '../../api/types.js';
import { TimeColumn } from '../../components/time-left.js';
import type { Outcome } from '../../domain/decision-outcome.js';
import { noteShown } from '../../live/seen.js';
import { CueList, AskedBy, RequestTags } from '../../requests/cues.js';
import { DecisionButtons } from '../../requests/decision-buttons.js';
import { SentBox } from '../../requests/sent-box.js';

interface TileProps {
  readonly approval: Approval;
  readonly isSelected: boolean;
  readonly isLeaving: boolean;
  readonly isCompact: boolean;
  /** In a list of which only a part is in the page. */
  readonly position?: number | undefined;
  readonly setSize?: number | undefined;
  readonly onOutcome: (approval: Approval, outcome: Outcome, decided?: Approval) => void;
}

/** One waiting request. What an agent sent stands only in the box; everything else is said by the system. */
export const Tile = memo(function Tile(props: TileProps) {
  const { approval, isSelected, isLeaving, isCompact, position, setSize, onOutcome } = props;
  const titleId = `t-${approval.id}`;
  useEffect(() => noteShown(approval.id), [approval.id]);
  return (
    <article
      className={isSelected ? 'tile sel' : 'tile'}
      aria-labelledby={titleId}
      aria-posinset={position}
      aria-setsize={setSize}
      data-id={approval.id}
    >
      <TimeColumn deadline={approval} />
      <div className="body">
        <h3>
          <Link id={titleId} to="/approvals/$approvalId" params={{ approvalId: approval.id }}>
            {approval.action_type}
          </Link>
          <RequestTags approval={approval} />
        </h3>
        <AskedBy approval={approval} />
        <CueList approval={approval} />
        {isCompact ? (
          <details className="compact">
            <summary>Sent by the agent</summary>
            <SentBox approval={approval} />
          </details>
        ) : (
          <SentBox approval={approval} />
        )}
      </div>
      <div className="acts">
        <DecisionButtons
          approval={approval}
          layout="tile"
          isLeaving={isLeaving}
          onOutcome={(outcome, decided) => onOutcome(approval, outcome, decided)}
        />
      </div>
    </article>
  );
});
