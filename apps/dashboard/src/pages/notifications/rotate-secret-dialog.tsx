import { useMutation, useQueryClient } from '@tanstack/react-query';
import { type Channel, channelsKey, rotateSecret } from '../../api/channels.js';
import { FormDialog } from '../../components/confirm.js';
import { formFaults } from '../../components/form-faults.js';
import { OverlapSelect } from '../../components/overlap-select.js';
import { SecretOnce } from '../../components/secret-once.js';

interface RotateSecretProps {
  readonly channel: Channel;
  readonly onClose: () => void;
}

export function RotateSecretDialog({ channel, onClose }: RotateSecretProps) {
  const queries = useQueryClient();
  const rotate = useMutation({
    mutationFn: (overlap: string) => rotateSecret(channel.id, overlap),
    onSuccess: () => queries.invalidateQueries({ queryKey: channelsKey }),
  });
  if (rotate.data?.secret !== undefined)
    return (
      <SecretOnce
        title={`The new secret of ${channel.name}`}
        description="Give it to the receiver before the old one ends. It is shown this one time."
        label="Secret"
        text={rotate.data.secret}
        onClose={onClose}
      />
    );
  const faults = formFaults(rotate.error, ['/overlap']);
  return (
    <FormDialog
      title={`Rotate the secret of ${channel.name}?`}
      description="Deliveries are signed with the new one at once, and with the old one too for the time that you choose."
      verb="Rotate"
      doing="Rotating…"
      isDoing={rotate.isPending}
      error={faults.general}
      onClose={onClose}
      onSubmit={(values) => rotate.mutate(String(values.get('overlap')))}
    >
      <OverlapSelect what="secret" fault={faults.at('/overlap')} />
    </FormDialog>
  );
}
