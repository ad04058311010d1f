import type { OperatorRole } from '@agentlattice/contracts';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { agentsKey, allAgents } from '../../api/agents.js';
import { createKey, type Key, keysKey, type ServiceScope } from '../../api/keys.js';
import { allMembers, membersKey } from '../../api/members.js';
import { FormDialog } from '../../components/confirm.js';
import { Select, TextField } from '../../components/form.js';
import { formFaults } from '../../components/form-faults.js';
import { SecretOnce } from '../../components/secret-once.js';
import { useSession } from '../../session/session-context.js';

const scopeTexts: Readonly<Record<ServiceScope, string>> = {
  'agents:register': 'Register agents',
  'policies:read': 'Read policies',
  'policies:write': 'Change policies',
  'grants:consume': 'Use up grants',
};
const scopes = Object.keys(scopeTexts) as ServiceScope[];

const day = 24 * 60 * 60 * 1_000;
const lives = { '30': '30 days', '90': '90 days', '365': '1 year', never: 'does not expire' } as const;

const kinds: Readonly<Record<Key['kind'], string>> = {
  service: 'A service (registers agents, reads or writes policies)',
  agent: 'An agent (one more key for it)',
  operator: 'A person (scripts that act for them)',
};

export function MakeKeyDialog({ onClose }: { readonly onClose: () => void }) {
  const queries = useQueryClient();
  const [kind, setKind] = useState<Key['kind']>('service');
  const make = useMutation({
    mutationFn: createKey,
    onSuccess: () => queries.invalidateQueries({ queryKey: keysKey }),
  });
  const faults = formFaults(make.error, [
    '/name',
    '/role',
    '/member_id',
    '/agent_id',
    '/scopes',
    '/expires_at',
  ]);
  if (make.data !== undefined)
    return (
      <SecretOnce
        title={`The key ${make.data.name} is made`}
        description="It is shown this one time; the server keeps only its hash."
        label="Key"
        text={make.data.key}
        onClose={onClose}
      />
    );
  return (
    <FormDialog
      title="Make a key"
      verb="Make the key"
      doing="Making…"
      isDoing={make.isPending}
      error={faults.general}
      onClose={onClose}
      onSubmit={(values) => {
        const life = String(values.get('life'));
        const chosen = scopes.filter((scope) => values.getAll('scopes').includes(scope));
        make.mutate({
          name: String(values.get('name')),
          kind,
          ...(life === 'never'
            ? {}
            : { expires_at: new Date(Date.now() + Number(life) * day).toISOString() }),
          ...(kind === 'service'
            ? chosen.length === 0
              ? {}
              : { scopes: chosen }
            : kind === 'agent'
              ? { agent_id: String(values.get('agent_id')) }
              : {
                  member_id: String(values.get('member_id')),
                  role: String(values.get('role')) as OperatorRole,
                }),
        });
      }}
    >
      <TextField
        label="Name"
        name="name"
        required
        maxLength={120}
        data-autofocus
        autoComplete="off"
        help="Where it is used, for example “CI of the shop”."
        fault={faults.at('/name')}
      />
      <Select
        label="Who uses it"
        value={kind}
        onChange={(event) => setKind(event.currentTarget.value as Key['kind'])}
      >
        {Object.entries(kinds).map(([value, text]) => (
          <option key={value} value={value}>
            {text}
          </option>
        ))}
      </Select>
      {kind === 'service' ? (
        <fieldset aria-describedby={faults.at('/scopes') === undefined ? undefined : 'scopes-fault'}>
          <legend>What it may do</legend>
          <div className="choices">
            {scopes.map((scope) => (
              <label key={scope} className="choice">
                <input type="checkbox" name="scopes" value={scope} />
                <span>
                  {scopeTexts[scope]} <code className="dim">{scope}</code>
                </span>
              </label>
            ))}
          </div>
          {faults.at('/scopes') === undefined ? null : (
            <p className="fault" id="scopes-fault">
              {faults.at('/scopes')}
            </p>
          )}
        </fieldset>
      ) : null}
      {kind === 'agent' ? <AgentChoice fault={faults.at('/agent_id')} /> : null}
      {kind === 'operator' ? <MemberChoice fault={faults.at('/member_id')} /> : null}
      <Select label="It ends after" name="life" defaultValue="90" fault={faults.at('/expires_at')}>
        {Object.entries(lives).map(([value, text]) => (
          <option key={value} value={value}>
            {text}
          </option>
        ))}
      </Select>
    </FormDialog>
  );
}

interface ChoiceProps {
  readonly fault: string | undefined;
}

function AgentChoice({ fault }: ChoiceProps) {
  const { data = [] } = useQuery({ queryKey: [...agentsKey, 'all'], queryFn: allAgents });
  return (
    <Select label="Agent" name="agent_id" required fault={fault}>
      {data.map(({ id, name }) => (
        <option key={id} value={id}>
          {name}
        </option>
      ))}
    </Select>
  );
}

function MemberChoice({ fault }: ChoiceProps) {
  const { member } = useSession();
  const { data = [] } = useQuery({ queryKey: [...membersKey, 'all'], queryFn: allMembers });
  return (
    <div className="pair">
      <Select
        key={data.length}
        label="Person"
        name="member_id"
        required
        defaultValue={member.id}
        help="A key that you make for someone else counts as seen by you both when votes are counted."
        fault={fault}
      >
        {data
          .filter(({ status }) => status === 'active')
          .map(({ id, name }) => (
            <option key={id} value={id}>
              {name}
            </option>
          ))}
      </Select>
      <Select label="At most as" name="role" defaultValue="member">
        <option value="viewer">Viewer</option>
        <option value="member">Member</option>
        <option value="admin">Admin</option>
      </Select>
    </div>
  );
}
