import { useQuery } from '@tanstack/react-query';
import { getPolicy, policiesKey, type Policy } from '../../api/policies.js';
import { Icon } from '../../components/icon.js';
import { errorText } from '../../components/notices.js';
import { Time } from '../../components/time.js';
import { policyChanges } from '../../domain/policy-diff.js';
import { contentOf } from '../../domain/policy-content.js';
import { Changes } from './changes.js';

interface VersionConflictProps {
  /** The version that the person began with. */
  readonly base: Policy;
  readonly onTake: (current: Policy) => void;
  readonly onOverwrite: (current: Policy) => void;
}

/** Somebody saved another version meanwhile: shows what they changed, and lets the person choose. */
export function VersionConflict({ base, onTake, onOverwrite }: VersionConflictProps) {
  const { data: current, error } = useQuery({
    queryKey: [...policiesKey, 'conflict', base.id],
    queryFn: () => getPolicy(base.id),
    staleTime: 0,
  });
  return (
    <section className="card" role="alert" aria-labelledby="conflict">
      <h2 id="conflict">
        <Icon name="warn" />
        Not saved: the policy was changed in between
      </h2>
      {current === undefined ? (
        <p>{error === null ? 'Looking at what changed…' : errorText(error)}</p>
      ) : (
        <>
          <p>
            Version {current.version} was saved <Time at={current.updated_at} />; you began with version{' '}
            {base.version}. What you typed is still here.
          </p>
          <Changes changes={policyChanges(contentOf(base), contentOf(current))} />
          <div className="ends">
            <button className="btn" type="button" onClick={() => onTake(current)}>
              Drop mine and edit version {current.version}
            </button>
            <button className="btn" type="button" onClick={() => onOverwrite(current)}>
              Save mine over version {current.version}
            </button>
          </div>
        </>
      )}
    </section>
  );
}
