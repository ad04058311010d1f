import { useQuery } from '@tanstack/react-query';
import { allMembers, type Member, membersKey } from '../../api/members.js';
import { Select, TextField } from '../../components/form.js';
import type { FormFaults } from '../../components/form-faults.js';

/** The groups that were typed, with commas between them. */
export const groupsOf = (typed: string): readonly string[] => [
  ...new Set(
    typed
      .split(',')
      .map((group) => group.trim())
      .filter((group) => group !== ''),
  ),
];

interface RoleAndGroupsProps {
  readonly member?: Member;
  readonly faults: FormFaults;
}

export function RoleAndGroups({ member, faults }: RoleAndGroupsProps) {
  const { data = [] } = useQuery({ queryKey: [...membersKey, 'all'], queryFn: allMembers });
  const known = [...new Set(data.flatMap(({ groups }) => groups))].sort();
  return (
    <>
      <Select label="Role" name="role" defaultValue={member?.role ?? 'member'} fault={faults.at('/role')}>
        <option value="viewer">Viewer: sees everything</option>
        <option value="member">Member: decides requests</option>
        <option value="admin">Admin: decides and administers</option>
      </Select>
      <TextField
        label="Groups"
        hint="(optional, with commas)"
        name="groups"
        defaultValue={member?.groups.join(', ') ?? ''}
        autoComplete="off"
        help={
          known.length === 0
            ? 'Policies can ask for approvals of a group, for example Finance.'
            : `In use: ${known.join(', ')}.`
        }
        fault={faults.at('/groups') ?? faults.below('/groups')[0]}
      />
    </>
  );
}
