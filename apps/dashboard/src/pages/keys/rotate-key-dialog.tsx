import { useMutation, useQueryClient } from '@tanstack/react-query';
import { type Key, keysKey, rotateKey } from '../../api/keys.js';
import { FormDialog } from '../../components/confirm.js';
import { formFaults } from '../../components/form-faults.js';
import { OverlapSelect } from '../../components/overlap-select.js';
import { SecretOnce } from '../../components/secret-once.js';

interface RotateKeyProps {
  readonly of: Key;
  readonly onClose: () => void;
}

export function RotateKeyDialog({ of: key, onClose }: RotateKeyProps) {
  const queries = useQueryClient();
  const rotate = useMutation({
    mutationFn: (overlap: string) => rotateKey(key.id, overlap),
    onSuccess: () => queries.invalidateQueries({ queryKey: keysKey }),
  });
  if (rotate.data !== undefined)
    return (
      <SecretOnce
        title={`The new key of ${key.name}`}
        description="Put it where the old one stands, before the old one ends. It is shown this one time."
        label="Key"
        text={rotate.data.key}
        onClose={onClose}
      />
    );
  const faults = formFaults(rotate.error, ['/overlap']);
  return (
    <FormDialog
      title={`Rotate ${key.name}?`}
      description="You get a new key with the same rights. The old one works on for the time that you choose."
      verb="Rotate"
      doing="Rotating…"
      isDoing={rotate.isPending}
      error={faults.general}
      onClose={onClose}
      onSubmit={(values) => rotate.mutate(String(values.get('overlap')))}
    >
      <OverlapSelect what="key" fault={faults.at('/overlap')} />
    </FormDialog>
  );
}
