import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import {
  type Channel,
  type ChannelInput,
  channelsKey,
  createChannel,
  type NewChannel,
  updateChannel,
} from '../../api/channels.js';
import { FormDialog } from '../../components/confirm.js';
import { Select, TextField } from '../../components/form.js';
import { formFaults } from '../../components/form-faults.js';
import { SecretOnce } from '../../components/secret-once.js';
import { eventNames, eventTypes } from './event-names.js';

interface ChannelDialogProps {
  /** The channel to change; missing: a new one. */
  readonly channel?: Channel;
  readonly onClose: () => void;
}

export function ChannelDialog({ channel, onClose }: ChannelDialogProps) {
  const queries = useQueryClient();
  const [type, setType] = useState<Channel['type']>(channel?.type ?? 'webhook');
  const save = useMutation({
    mutationFn: async (input: ChannelInput): Promise<NewChannel> => {
      if (channel === undefined) return createChannel(input);
      const { type: _, enabled: _enabled, ...patch } = input;
      return updateChannel(channel.id, patch);
    },
    onSuccess: async ({ secret }) => {
      await queries.invalidateQueries({ queryKey: channelsKey });
      if (secret === undefined) onClose();
    },
  });
  const faults = formFaults(save.error, ['/name', '/url', '/to', '/events']);
  if (save.data?.secret !== undefined)
    return (
      <SecretOnce
        title={`${save.data.name} is created`}
        description="The receiver checks with this secret that a delivery is from here (Standard Webhooks). It is shown this one time."
        label="Secret"
        text={save.data.secret}
        onClose={onClose}
      />
    );
  return (
    <FormDialog
      title={channel === undefined ? 'New channel' : `Change ${channel.name}`}
      verb={channel === undefined ? 'Create' : 'Save'}
      doing={channel === undefined ? 'Creating…' : 'Saving…'}
      isDoing={save.isPending}
      error={faults.general}
      onClose={onClose}
      onSubmit={(values) => {
        const common = {
          name: String(values.get('name')),
          events: eventTypes.filter((event) => values.getAll('events').includes(event)),
          enabled: true,
        };
        save.mutate(
          type === 'email'
            ? {
                ...common,
                type,
                to: String(values.get('to'))
                  .split(/[\s,;]+/)
                  .filter((address) => address !== ''),
              }
            : { ...common, type, url: String(values.get('url')).trim() },
        );
      }}
    >
      <div className="pair">
        <TextField
          label="Name"
          name="name"
          required
          maxLength={120}
          data-autofocus
          autoComplete="off"
          defaultValue={channel?.name ?? ''}
          fault={faults.at('/name')}
        />
        {channel === undefined ? (
          <Select
            label="Kind"
            value={type}
            onChange={(event) => setType(event.currentTarget.value as Channel['type'])}
          >
            <option value="webhook">Webhook</option>
            <option value="email">E-mail</option>
          </Select>
        ) : null}
      </div>
      {type === 'email' ? (
        <TextField
          label="Addresses"
          hint="(with commas)"
          name="to"
          required
          autoComplete="off"
          defaultValue={(channel?.to ?? []).join(', ')}
          help="One mail goes to all of them."
          fault={faults.at('/to') ?? faults.below('/to')[0]}
        />
      ) : (
        <TextField
          label="URL"
          name="url"
          type="url"
          required
          maxLength={2048}
          autoComplete="off"
          placeholder="https://"
          defaultValue={channel?.url ?? ''}
          fault={faults.at('/url')}
        />
      )}
      <fieldset>
        <legend>Told about</legend>
        <p className="fine">Escalation steps of policies that name the channel are sent to it in any case.</p>
        <div className="choices">
          {eventTypes.map((event) => (
            <label key={event} className="choice">
              <input
                type="checkbox"
                name="events"
                value={event}
                defaultChecked={channel?.events.includes(event) ?? event === 'approval.requested'}
              />
              <span>{eventNames[event]}</span>
            </label>
          ))}
        </div>
        {faults.at('/events') === undefined ? null : <p className="fault">{faults.at('/events')}</p>}
      </fieldset>
    </FormDialog>
  );
}
