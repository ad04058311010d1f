import { type Key, keysKey, rotateKey } from '../../api/keys.js';
import { RotateDialog } from '../../components/rotate-dialog.js';

interface RotateKeyProps {
  readonly of: Key;
  readonly onClose: () => void;
}

export const RotateKeyDialog = ({ of: { id, name }, onClose }: RotateKeyProps) => (
  <RotateDialog
    what="key"
    title={`Rotate ${name}?`}
    description="You get a new key with the same rights. The old one works on for the time that you choose."
    rotate={async (overlap) => (await rotateKey(id, overlap)).key}
    listKey={keysKey}
    shown={{
      title: `The new key of ${name}`,
      description: 'Put it where the old one stands, before the old one ends. It is shown this one time.',
    }}
    onClose={onClose}
  />
);
