import { useMutation, useQueryClient } from '@tanstack/react-query';
import { FormDialog } from './confirm.js';
import { formFaults } from './form-faults.js';
import { Select } from './form.js';
import { SecretOnce } from './secret-once.js';

interface RotateProps {
  readonly title: string;
  readonly description: string;
  readonly what: 'key' | 'secret';
  /** Answers the new secret. */
  readonly rotate: (overlap: string) => Promise<string>;
  /** The list that shows it. */
  readonly listKey: readonly unknown[];
  readonly shown: { readonly title: string; readonly description: string };
  readonly onClose: () => void;
}

/** Asks how long the old secret works beside the new one, and shows the new one once. */
export function RotateDialog(props: RotateProps) {
  const { title, description, what, listKey, shown, onClose } = props;
  const queries = useQueryClient();
  const rotate = useMutation({
    mutationFn: props.rotate,
    onSuccess: () => queries.invalidateQueries({ queryKey: listKey }),
  });
  if (rotate.data !== undefined)
    return (
      <SecretOnce {...shown} label={what === 'key' ? 'Key' : 'Secret'} text={rotate.data} onClose={onClose} />
    );
  const faults = formFaults(rotate.error, ['/overlap']);
  return (
    <FormDialog
      title={title}
      description={description}
      verb="Rotate"
      doing="Rotating…"
      isDoing={rotate.isPending}
      error={faults.general}
      onClose={onClose}
      onSubmit={(values) => rotate.mutate(String(values.get('overlap')))}
    >
      <Select
        label={`The old ${what} works for`}
        name="overlap"
        defaultValue="24h"
        data-autofocus
        fault={faults.at('/overlap')}
      >
        <option value="0s">no time: it ends at once</option>
        <option value="1h">1 hour</option>
        <option value="24h">24 hours</option>
        <option value="7d">7 days</option>
      </Select>
    </FormDialog>
  );
}
