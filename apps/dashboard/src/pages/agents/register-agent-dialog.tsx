import { useMutation, useQueryClient } from '@tanstack/react-query';
import { agentsKey, registerAgent } from '../../api/agents.js';
import { FormDialog } from '../../components/confirm.js';
import { TextArea, TextField } from '../../components/form.js';
import { formFaults } from '../../components/form-faults.js';
import { SecretOnce } from '../../components/secret-once.js';

export function RegisterAgentDialog({ onClose }: { readonly onClose: () => void }) {
  const queries = useQueryClient();
  const register = useMutation({
    mutationFn: registerAgent,
    onSuccess: () => queries.invalidateQueries({ queryKey: agentsKey }),
  });
  const faults = formFaults(register.error, ['/name', '/description']);
  if (register.data !== undefined)
    return (
      <SecretOnce
        title={`${register.data.name} is registered`}
        description="The agent proves who it is with this key. It is shown this one time; the server keeps only its hash."
        label="Key"
        text={register.data.api_key}
        onClose={onClose}
      />
    );
  return (
    <FormDialog
      title="Register an agent"
      description="It gets a key of its own. You become its owner, and somebody else decides its requests where a policy separates duties."
      verb="Register"
      doing="Registering…"
      isDoing={register.isPending}
      error={faults.general}
      onClose={onClose}
      onSubmit={(values) => {
        const description = String(values.get('description')).trim();
        register.mutate({
          name: String(values.get('name')),
          ...(description === '' ? {} : { description }),
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
        help="Shown with every request, for example deploy-bot."
        fault={faults.at('/name')}
      />
      <TextArea
        label="Description"
        hint="(optional)"
        name="description"
        maxLength={2000}
        fault={faults.at('/description')}
      />
    </FormDialog>
  );
}
