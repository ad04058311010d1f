import { useId } from 'react';
import { TextField } from '../../components/form.js';
import { Suggestions } from '../../components/suggestions.js';
import { emptyGroup, type GroupDraft } from '../../domain/policy-draft.js';
import type { PolicyFormProps } from './policy-form.js';
import { RowList } from './row-list.js';
import { usePeople } from './use-completion.js';

/** Groups that must be among those who approve. */
export function GroupRows({ draft, faults, onChange }: PolicyFormProps) {
  const { groups, inGroup } = usePeople();
  const id = useId();
  return (
    <fieldset>
      <legend>Groups that must approve</legend>
      <Suggestions id={id} values={groups} />
      <RowList<GroupDraft>
        name="Group"
        help="Without a group any member may decide."
        fault={faults.at('/approver_groups')}
        rows={draft.approver_groups}
        empty={emptyGroup}
        onChange={(approver_groups) => onChange({ approver_groups })}
        row={({ group, count }, i, change) => (
          <div className="pair">
            <TextField
              label="Group"
              required
              maxLength={120}
              list={id}
              value={group}
              onChange={(event) => change({ group: event.currentTarget.value })}
              {...(group.trim() === ''
                ? {}
                : {
                    help:
                      inGroup(group.trim()) === 1
                        ? '1 person is in it now.'
                        : `${String(inGroup(group.trim()))} people are in it now.`,
                  })}
              fault={faults.at(`/approver_groups/${String(i)}/group`)}
            />
            <TextField
              label="How many of it"
              type="number"
              min={1}
              max={50}
              required
              value={count}
              onChange={(event) => change({ count: event.currentTarget.value })}
              fault={faults.at(`/approver_groups/${String(i)}/count`)}
            />
          </div>
        )}
      />
    </fieldset>
  );
}
