import { type Channel, channelsKey, rotateSecret } from '../../api/channels.js';
import { RotateDialog } from '../../components/rotate-dialog.js';

interface RotateSecretProps {
  readonly channel: Channel;
  readonly onClose: () => void;
}

export const RotateSecretDialog = ({ channel: { id, name }, onClose }: RotateSecretProps) => (
  <RotateDialog
    what="secret"
    title={`Rotate the secret of ${name}?`}
    description="Deliveries are signed with the new one at once, and with the old one too for the time that you choose."
    rotate={async (overlap) => (await rotateSecret(id, overlap)).secret ?? ''}
    listKey={channelsKey}
    shown={{
      title: `The new secret of ${name}`,
      description: 'Give it to the receiver before the old one ends. It is shown this one time.',
    }}
    onClose={onClose}
  />
);
