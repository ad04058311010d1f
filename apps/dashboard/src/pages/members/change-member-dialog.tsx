import type { OperatorRole } from '@agentlattice/contracts';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { sessionKey } from '../../api/session.js';
import { changeMember, type Member, membersKey } from '../../api/members.js';
import { FormDialog } from '../../components/confirm.js';
import { TextField } from '../../components/form.js';
import { formFaults } from '../../components/form-faults.js';
import { useSession } from '../../session/session-context.js';
import { groupsOf, RoleAndGroups } from './member-fields.js';

interface ChangeMemberProps {
  readonly member: Member;
  readonly onClose: () => void;
}

export function ChangeMemberDialog({ member, onClose }: ChangeMemberProps) {
  const queries = useQueryClient();
  const { member: self } = useSession();
  const change = useMutation({
    mutationFn: (body: { name?: string; role?: OperatorRole; groups?: readonly string[] }) =>
      changeMember(member.id, body),
    onSuccess: async () => {
      await queries.invalidateQueries({ queryKey: membersKey });
      if (member.id === self.id) await queries.invalidateQueries({ queryKey: sessionKey });
      onClose();
    },
  });
  const faults = formFaults(change.error, ['/name', '/role', '/groups']);
  return (
    <FormDialog
      title={`Change ${member.name}`}
      description="In effect at once. Votes on open requests that the person could not cast any more are withdrawn."
      verb="Save"
      doing="Saving…"
      isDoing={change.isPending}
      error={faults.general}
      onClose={onClose}
      onSubmit={(values) => {
        const name = String(values.get('name')).trim();
        const role = String(values.get('role')) as OperatorRole;
        const groups = groupsOf(String(values.get('groups')));
        // Only what changed, so that two admins who change different things do not undo each other.
        const body = {
          ...(name === member.name ? {} : { name }),
          ...(role === member.role ? {} : { role }),
          ...(groups.join('\n') === member.groups.join('\n') ? {} : { groups }),
        };
        if (Object.keys(body).length === 0) onClose();
        else change.mutate(body);
      }}
    >
      <TextField
        label="Name"
        name="name"
        required
        maxLength={120}
        data-autofocus
        autoComplete="off"
        defaultValue={member.name}
        fault={faults.at('/name')}
      />
      <RoleAndGroups member={member} faults={faults} />
    </FormDialog>
  );
}
