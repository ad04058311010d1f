import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { type Key, keysKey, listKeys, revokeKey } from '../../api/keys.js';
import { usePaged } from '../../api/paged.js';
import { Confirm } from '../../components/confirm.js';
import { HostileText } from '../../components/hostile-text.js';
import { Icon } from '../../components/icon.js';
import { EmptyState } from '../../components/notices.js';
import { AdminsOnly, PageHead } from '../../components/page-head.js';
import { PagedTable } from '../../components/paged-table.js';
import { Time } from '../../components/time.js';
import { keyStateOf } from '../../domain/key-state.js';
import { useClock } from '../../live/server-clock.js';
import { useIsAdmin } from '../../session/session-context.js';
import { MakeKeyDialog } from './make-key-dialog.js';
import { RotateKeyDialog } from './rotate-key-dialog.js';

export function KeysPage() {
  return useIsAdmin() ? (
    <KeyList />
  ) : (
    <>
      <PageHead title="Keys" />
      <AdminsOnly what="keys" />
    </>
  );
}

type Open = { readonly kind: 'none' | 'make' } | { readonly kind: 'rotate' | 'revoke'; readonly key: Key };

/** Keys change without a live event, and being used is none either. */
const refreshMs = 10_000;

function KeyList() {
  const [open, setOpen] = useState<Open>({ kind: 'none' });
  const close = () => setOpen({ kind: 'none' });
  const keys = usePaged([...keysKey, 'list'], listKeys, (page) => page.keys, refreshMs);
  return (
    <>
      <PageHead
        title="Keys"
        lead="What programs call the API with. People sign in here instead."
        actions={
          <button
            className="btn"
            type="button"
            aria-haspopup="dialog"
            onClick={() => setOpen({ kind: 'make' })}
          >
            Make a key
          </button>
        }
      />
      <PagedTable
        paged={keys}
        caption="Keys of the workspace"
        moreName="Show more keys"
        keyOf={({ id }) => id}
        empty={<EmptyState icon="key" title="There is no key" />}
        columns={[
          {
            name: 'Key',
            header: true,
            cell: ({ name, prefix }) => (
              <>
                <HostileText text={name} />
                <code className="sub">{prefix}…</code>
              </>
            ),
          },
          { name: 'For', cell: (key) => <Purpose of={key} /> },
          {
            name: 'Made by',
            cell: ({ made_by, made_by_name, created_at }) => (
              <>
                {made_by === null ? 'Unknown' : <HostileText text={made_by_name ?? made_by} />}
                <span className="sub">
                  <Time at={created_at} />
                </span>
              </>
            ),
          },
          {
            name: 'Last used',
            cell: ({ last_used_at }) => (last_used_at === null ? 'Never' : <Time at={last_used_at} />),
          },
          { name: 'State', cell: (key) => <KeyState of={key} /> },
          {
            name: 'Actions',
            cell: (key) =>
              key.revoked_at === null ? (
                <span className="acts-cell">
                  <button
                    className="btn"
                    type="button"
                    aria-haspopup="dialog"
                    onClick={() => setOpen({ kind: 'rotate', key })}
                  >
                    Rotate<span className="sr"> {key.name}</span>
                  </button>
                  <button
                    className="btn"
                    type="button"
                    aria-haspopup="dialog"
                    onClick={() => setOpen({ kind: 'revoke', key })}
                  >
                    Revoke<span className="sr"> {key.name}</span>
                  </button>
                </span>
              ) : null,
          },
        ]}
      />
      {open.kind === 'make' ? <MakeKeyDialog onClose={close} /> : null}
      {open.kind === 'rotate' ? <RotateKeyDialog of={open.key} onClose={close} /> : null}
      {open.kind === 'revoke' ? <RevokeKeyDialog of={open.key} onClose={close} /> : null}
    </>
  );
}

const kindNames = { operator: 'Person', agent: 'Agent', service: 'Service' } as const;

const Purpose = ({ of: { kind, role, scopes, member_name, agent_id } }: { readonly of: Key }) => (
  <>
    {kindNames[kind]}
    <span className="sub">
      {kind === 'operator' ? (
        <>
          {member_name === null || member_name === undefined ? null : <HostileText text={member_name} />}
          {role === null ? null : `, at most ${role}`}
        </>
      ) : kind === 'agent' ? (
        <code>{agent_id}</code>
      ) : (
        scopes.join(', ')
      )}
    </span>
  </>
);

function KeyState({ of: key }: { readonly of: Key }) {
  const state = useClock((now) => keyStateOf(key, now));
  if (state === 'revoked')
    return (
      <>
        <span className="tag flat">
          <Icon name="off" />
          Revoked
        </span>
        <span className="sub">{key.revoked_at === null ? null : <Time at={key.revoked_at} />}</span>
      </>
    );
  if (state === 'expired')
    return (
      <span className="tag warn">
        <Icon name="clock" />
        Expired
      </span>
    );
  return (
    <>
      <span className="tag ok">
        <Icon name="check" />
        Works
      </span>
      <span className="sub">
        {key.expires_at === null ? (
          'Does not expire'
        ) : (
          <>
            until <Time at={key.expires_at} show="exact" />
          </>
        )}
      </span>
    </>
  );
}

function RevokeKeyDialog({ of: key, onClose }: { readonly of: Key; readonly onClose: () => void }) {
  const queries = useQueryClient();
  const revoke = useMutation({
    mutationFn: () => revokeKey(key.id),
    onSuccess: async () => {
      await queries.invalidateQueries({ queryKey: keysKey });
      onClose();
    },
  });
  return (
    <Confirm
      title={`Revoke ${key.name}?`}
      description={`${key.prefix}… stops working everywhere within a second. It cannot be taken back; what still uses it is refused.`}
      verb="Revoke"
      doing="Revoking…"
      isDangerous
      isDoing={revoke.isPending}
      error={revoke.error}
      onConfirm={() => revoke.mutate()}
      onClose={onClose}
    />
  );
}
