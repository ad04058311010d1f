import { HostileText } from '../../components/hostile-text.js';
import type { MemberChange } from '../../domain/policy-diff.js';

/** What differs between two versions: lines that left begin with −, lines that came with +. */
export const Changes = ({ changes }: { readonly changes: readonly MemberChange[] }) =>
  changes.length === 0 ? (
    <p className="fine">The content is the same.</p>
  ) : (
    <dl className="changes">
      {changes.map(({ member, was, now }) => (
        <div key={member}>
          <dt className="mono">{member}</dt>
          <dd>
            {was.map((line, i) => (
              <del key={i}>
                − <HostileText text={line} />
              </del>
            ))}
            {now.map((line, i) => (
              <ins key={i}>
                + <HostileText text={line} />
              </ins>
            ))}
          </dd>
        </div>
      ))}
    </dl>
  );
