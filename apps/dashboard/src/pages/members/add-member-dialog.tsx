import type { OperatorRole } from '@agentlattice/contracts';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { addMember, membersKey } from '../../api/members.js';
import { FormDialog } from '../../components/confirm.js';
import { Dialog } from '../../components/dialog.js';
import { TextField } from '../../components/form.js';
import { formFaults } from '../../components/form-faults.js';
import { SecretOnce } from '../../components/secret-once.js';
import { groupsOf, RoleAndGroups } from './member-fields.js';

export function AddMemberDialog({ onClose }: { readonly onClose: () => void }) {
  const queries = useQueryClient();
  const [way, setWay] = useState<'invite' | 'password'>('invite');
  const add = useMutation({
    mutationFn: addMember,
    onSuccess: () => queries.invalidateQueries({ queryKey: membersKey }),
  });
  const faults = formFaults(add.error, ['/email', '/name', '/role', '/groups', '/password']);
  if (add.data?.invitation !== undefined)
    return (
      <SecretOnce
        title={`Invite ${add.data.name}`}
        description="Send this link to the person by a way that you trust: it lets its holder join. It is shown this one time."
        label="Link"
        text={add.data.invitation.link}
        onClose={onClose}
      />
    );
  if (add.data !== undefined)
    return (
      <Dialog
        title={add.data.status === 'active' ? `${add.data.name} is a member` : `${add.data.name} is invited`}
        description={
          add.data.status === 'active'
            ? 'The person can sign in now, with the password that you set.'
            : 'The person has an account already and decides about the invitation there.'
        }
        onClose={onClose}
      >
        <div className="ends">
          <button className="btn solid" type="button" data-autofocus onClick={onClose}>
            Done
          </button>
        </div>
      </Dialog>
    );
  return (
    <FormDialog
      title="Add a person"
      verb={way === 'invite' ? 'Make the invitation' : 'Add'}
      doing={way === 'invite' ? 'Making…' : 'Adding…'}
      isDoing={add.isPending}
      error={faults.general}
      onClose={onClose}
      onSubmit={(values) =>
        add.mutate({
          email: String(values.get('email')).trim(),
          name: String(values.get('name')),
          role: String(values.get('role')) as OperatorRole,
          groups: groupsOf(String(values.get('groups'))),
          ...(way === 'password' ? { password: String(values.get('password')) } : {}),
        })
      }
    >
      <div className="pair">
        <TextField
          label="E-mail"
          name="email"
          type="email"
          required
          maxLength={254}
          data-autofocus
          autoComplete="off"
          fault={faults.at('/email')}
        />
        <TextField
          label="Name"
          name="name"
          required
          maxLength={120}
          autoComplete="off"
          fault={faults.at('/name')}
        />
      </div>
      <RoleAndGroups faults={faults} />
      <fieldset>
        <legend>How they get in</legend>
        <label className="choice">
          <input type="radio" name="way" checked={way === 'invite'} onChange={() => setWay('invite')} />
          <span>
            <b>By an invitation</b>
            You get a link to send; the person chooses the password.
          </span>
        </label>
        <label className="choice">
          <input type="radio" name="way" checked={way === 'password'} onChange={() => setWay('password')} />
          <span>
            <b>With a password that you set</b>
            You both know it, so the person has to change it before deciding anything.
          </span>
        </label>
      </fieldset>
      {way === 'password' ? (
        <TextField
          label="Password"
          name="password"
          type="password"
          required
          minLength={12}
          maxLength={256}
          autoComplete="new-password"
          help="At least 12 characters."
          fault={faults.at('/password')}
        />
      ) : null}
    </FormDialog>
  );
}
