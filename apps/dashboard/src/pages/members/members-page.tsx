import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { listMembers, type Member, membersKey, removeMember } from '../../api/members.js';
import { usePaged } from '../../api/paged.js';
import { Confirm } from '../../components/confirm.js';
import { HostileText } from '../../components/hostile-text.js';
import { Icon } from '../../components/icon.js';
import { EmptyState } from '../../components/notices.js';
import { AdminsChange, PageHead } from '../../components/page-head.js';
import { PagedTable } from '../../components/paged-table.js';
import { Time } from '../../components/time.js';
import { useIsAdmin, useSession } from '../../session/session-context.js';
import { AddMemberDialog } from './add-member-dialog.js';
import { ChangeMemberDialog } from './change-member-dialog.js';
import { OwnInvitations } from './own-invitations.js';

type Open =
  { readonly kind: 'none' | 'add' } | { readonly kind: 'change' | 'remove'; readonly member: Member };

const roleNames = { viewer: 'Viewer', member: 'Member', admin: 'Admin' } as const;
const roleTexts = {
  viewer: 'sees everything',
  member: 'decides requests',
  admin: 'decides and administers',
} as const;

export function MembersPage() {
  const isAdmin = useIsAdmin();
  const { member: self } = useSession();
  const [open, setOpen] = useState<Open>({ kind: 'none' });
  const close = () => setOpen({ kind: 'none' });
  const members = usePaged([...membersKey, 'list'], listMembers, (page) => page.members);
  return (
    <>
      <PageHead
        title="Members"
        lead="The people of the workspace, and the groups that policies name."
        actions={
          isAdmin ? (
            <button
              className="btn"
              type="button"
              aria-haspopup="dialog"
              onClick={() => setOpen({ kind: 'add' })}
            >
              Add a person
            </button>
          ) : null
        }
      />
      <AdminsChange what="members" />
      <OwnInvitations />
      <PagedTable
        paged={members}
        caption="Members of the workspace"
        moreName="Show more people"
        keyOf={({ id }) => id}
        empty={<EmptyState icon="people" title="There is no member" />}
        columns={[
          {
            name: 'Person',
            header: true,
            cell: ({ id, name, email }) => (
              <>
                <HostileText text={name} />
                {id === self.id ? ' (you)' : ''}
                <span className="sub">{email}</span>
              </>
            ),
          },
          {
            name: 'Role',
            cell: ({ role }) => (
              <>
                {roleNames[role]}
                <span className="sub">{roleTexts[role]}</span>
              </>
            ),
          },
          {
            name: 'Groups',
            cell: ({ groups }) =>
              groups.length === 0 ? (
                <span className="soft">None</span>
              ) : (
                <HostileText text={groups.join(', ')} />
              ),
          },
          { name: 'State', cell: (member) => <MemberState member={member} /> },
          ...(isAdmin
            ? [
                {
                  name: 'Actions',
                  cell: (member: Member) => (
                    <span className="acts-cell">
                      <button
                        className="btn"
                        type="button"
                        aria-haspopup="dialog"
                        onClick={() => setOpen({ kind: 'change', member })}
                      >
                        Change<span className="sr"> {member.name}</span>
                      </button>
                      <button
                        className="btn"
                        type="button"
                        aria-haspopup="dialog"
                        onClick={() => setOpen({ kind: 'remove', member })}
                      >
                        Remove<span className="sr"> {member.name}</span>
                      </button>
                    </span>
                  ),
                },
              ]
            : []),
        ]}
      />
      {open.kind === 'add' ? <AddMemberDialog onClose={close} /> : null}
      {open.kind === 'change' ? <ChangeMemberDialog member={open.member} onClose={close} /> : null}
      {open.kind === 'remove' ? <RemoveMemberDialog member={open.member} onClose={close} /> : null}
    </>
  );
}

const states = {
  active: ['ok', 'check', 'Active'],
  invited: ['warn', 'clock', 'Invited'],
  declined: ['flat', 'x', 'Declined'],
} as const;

function MemberState({ member: { status, created_at } }: { readonly member: Member }) {
  const [tone, icon, name] = states[status];
  return (
    <>
      <span className={`tag ${tone}`}>
        <Icon name={icon} />
        {name}
      </span>
      <span className="sub">
        added <Time at={created_at} />
      </span>
    </>
  );
}

interface RemoveMemberProps {
  readonly member: Member;
  readonly onClose: () => void;
}

function RemoveMemberDialog({ member, onClose }: RemoveMemberProps) {
  const queries = useQueryClient();
  const isInvited = member.status !== 'active';
  const remove = useMutation({
    mutationFn: () => removeMember(member.id),
    onSuccess: async () => {
      await queries.invalidateQueries({ queryKey: membersKey });
      onClose();
    },
  });
  return (
    <Confirm
      title={isInvited ? `Take back the invitation of ${member.name}?` : `Remove ${member.name}?`}
      description={
        isInvited
          ? 'The link no longer works. The person can be invited again.'
          : 'Their sessions and keys end at once, and their votes on open requests no longer count. What they decided stays in the audit log.'
      }
      verb={isInvited ? 'Take it back' : 'Remove'}
      doing={isInvited ? 'Taking it back…' : 'Removing…'}
      isDangerous
      isDoing={remove.isPending}
      error={remove.error}
      onConfirm={() => remove.mutate()}
      onClose={onClose}
    />
  );
}
