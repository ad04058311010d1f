import { useQuery } from '@tanstack/react-query';
import { allMembers, membersKey } from '../../api/members.js';
import { usePaged } from '../../api/paged.js';
import { listVersions, policiesKey, type PolicyVersion } from '../../api/policies.js';
import { HostileText } from '../../components/hostile-text.js';
import { ErrorState } from '../../components/notices.js';
import { Time } from '../../components/time.js';
import { policyChanges } from '../../domain/policy-diff.js';
import { Changes } from './changes.js';

const changeNames: Readonly<Record<PolicyVersion['change'], string>> = {
  created: 'Created',
  updated: 'Changed',
  activated: 'Activated',
  deactivated: 'Deactivated',
  deleted: 'Deleted',
};

/** Every version with who made it and what it changed. */
export function Versions({ policyId }: { readonly policyId: string }) {
  const { items, error, hasMore, more, retry } = usePaged(
    [...policiesKey, 'versions', policyId],
    (cursor) => listVersions(policyId, cursor),
    (page) => page.versions,
  );
  const { data: members = [] } = useQuery({ queryKey: [...membersKey, 'all'], queryFn: allMembers });
  const nameOf = (id: string | null | undefined) => members.find((member) => member.id === id)?.name;
  if (items === undefined) return error === null ? null : <ErrorState error={error} onRetry={retry} />;
  return (
    <section className="card" aria-labelledby="versions">
      <h2 id="versions">Versions</h2>
      <ol className="versions">
        {items.map((version, i) => (
          <Version
            key={version.version}
            version={version}
            before={items[i + 1]}
            author={
              version.actor === null || version.actor.kind === 'system'
                ? 'The system'
                : (nameOf(version.actor.id) ?? version.actor.kind)
            }
          />
        ))}
      </ol>
      {hasMore ? (
        <button className="btn" type="button" onClick={more}>
          Show older versions
        </button>
      ) : null}
    </section>
  );
}

interface VersionProps {
  readonly version: PolicyVersion;
  readonly before: PolicyVersion | undefined;
  readonly author: string;
}

const Version = ({ version: { version, change, content, at, hash }, before, author }: VersionProps) => (
  <li>
    <details>
      <summary>
        <b>Version {version}</b> {changeNames[change].toLowerCase()} <Time at={at} />
      </summary>
      <p className="fine">
        by <HostileText text={author} />
      </p>
      {before === undefined ? (
        <p className="fine">The first version.</p>
      ) : (
        <Changes changes={policyChanges(before.content, content)} />
      )}
      <p className="fine">
        Hash <code>{hash}</code>
      </p>
    </details>
  </li>
);
