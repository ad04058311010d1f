import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link, useNavigate, useParams } from '@tanstack/react-router';
import { type FormEvent, useRef, useState } from 'react';
import { ApiRefusal } from '../../api/client.js';
import { createPolicy, getPolicy, policiesKey, type Policy, updatePolicy } from '../../api/policies.js';
import { LoadingTiles } from '../../components/loading.js';
import { Alert, ErrorState } from '../../components/notices.js';
import { formFaults } from '../../components/form-faults.js';
import { AdminsOnly, PageHead } from '../../components/page-head.js';
import { draftOf, emptyDraft, policyOf, type PolicyDraft } from '../../domain/policy-draft.js';
import { useIsAdmin } from '../../session/session-context.js';
import { policyFields, PolicyForm } from './policy-form.js';
import { VersionConflict } from './version-conflict.js';

export function NewPolicyPage() {
  const isAdmin = useIsAdmin();
  return (
    <>
      <PageHead title="New policy" lead={<Link to="/policies">Back to the policies</Link>} />
      {isAdmin ? <Editor first={emptyDraft} base={null} /> : <AdminsOnly what="the editor of policies" />}
    </>
  );
}

export function EditPolicyPage() {
  const isAdmin = useIsAdmin();
  const { policyId } = useParams({ from: '/shell/policies/$policyId/edit' });
  const { data, error, refetch } = useQuery({
    queryKey: [...policiesKey, 'one', policyId],
    queryFn: () => getPolicy(policyId),
  });
  // What was typed belongs to the version that was loaded first; a later one is shown as a conflict when it is saved.
  const base = useRef<Policy>(undefined);
  base.current ??= data;
  return (
    <>
      <PageHead
        title={data === undefined ? 'Change a policy' : `Change ${data.name}`}
        lead={
          <Link to="/policies/$policyId" params={{ policyId }}>
            Back to the policy
          </Link>
        }
      />
      {!isAdmin ? (
        <AdminsOnly what="the editor of policies" />
      ) : base.current !== undefined ? (
        <Editor first={draftOf(base.current)} base={base.current} />
      ) : error === null ? (
        <LoadingTiles count={2} />
      ) : (
        <ErrorState error={error} onRetry={() => void refetch()} />
      )}
    </>
  );
}

interface EditorProps {
  readonly first: PolicyDraft;
  /** The version that is changed; null for a new policy. */
  readonly base: Policy | null;
}

const isConflict = (error: unknown) => error instanceof ApiRefusal && error.code === 'PRECONDITION_FAILED';

function Editor({ first, base }: EditorProps) {
  const [draft, setDraft] = useState(first);
  const [version, setVersion] = useState(base?.version ?? 0);
  const queries = useQueryClient();
  const navigate = useNavigate();
  const form = useRef<HTMLFormElement>(null);
  const save = useMutation({
    mutationFn: (on: number) =>
      base === null ? createPolicy(policyOf(draft)) : updatePolicy(base.id, on, policyOf(draft)),
    onSuccess: async (policy) => {
      await queries.invalidateQueries({ queryKey: policiesKey });
      await navigate({ to: '/policies/$policyId', params: { policyId: policy.id } });
    },
    onError: () => {
      // After React showed the faults.
      requestAnimationFrame(() => form.current?.querySelector<HTMLElement>('[aria-invalid]')?.focus());
    },
  });
  const faults = formFaults(save.error, policyFields);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    save.mutate(version);
  };
  return (
    <form className="stack narrow" ref={form} onSubmit={submit}>
      <PolicyForm
        draft={draft}
        faults={faults}
        onChange={(change) => setDraft((before) => ({ ...before, ...change }))}
      />
      {isConflict(save.error) && base !== null ? (
        <VersionConflict
          base={base}
          onTake={(current) => {
            setDraft(draftOf(current));
            setVersion(current.version);
            save.reset();
          }}
          onOverwrite={(current) => {
            setVersion(current.version);
            save.mutate(current.version);
          }}
        />
      ) : faults.general === null ? null : (
        <Alert>{faults.general}</Alert>
      )}
      <div className="ends">
        {base === null ? (
          <Link className="btn" to="/policies">
            Cancel
          </Link>
        ) : (
          <Link className="btn" to="/policies/$policyId" params={{ policyId: base.id }}>
            Cancel
          </Link>
        )}
        <button className="btn solid" type="submit" disabled={save.isPending}>
          {save.isPending ? 'Saving…' : base === null ? 'Create the policy' : 'Save as a new version'}
        </button>
      </div>
    </form>
  );
}
