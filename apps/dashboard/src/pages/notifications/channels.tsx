import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { type Channel, channelsKey, deleteChannel, listChannels, updateChannel } from '../../api/channels.js';
import { usePaged } from '../../api/paged.js';
import { Confirm } from '../../components/confirm.js';
import { HostileText } from '../../components/hostile-text.js';
import { Icon } from '../../components/icon.js';
import { Alert, EmptyState, errorText } from '../../components/notices.js';
import { PagedTable } from '../../components/paged-table.js';
import { Time } from '../../components/time.js';
import { plural } from '../../domain/time-left.js';
import { useIsAdmin } from '../../session/session-context.js';
import { ChannelDialog } from './channel-dialog.js';
import { RotateSecretDialog } from './rotate-secret-dialog.js';
import { TestDialog } from './test-dialog.js';

type Open =
  | { readonly kind: 'none' | 'create' }
  | { readonly kind: 'change' | 'test' | 'rotate' | 'delete'; readonly channel: Channel };

export function Channels() {
  const isAdmin = useIsAdmin();
  const queries = useQueryClient();
  const [open, setOpen] = useState<Open>({ kind: 'none' });
  const close = () => setOpen({ kind: 'none' });
  const channels = usePaged([...channelsKey, 'list'], listChannels, (page) => page.channels);
  const enable = useMutation({
    mutationFn: (channel: Channel) => updateChannel(channel.id, { enabled: !channel.enabled }),
    onSettled: () => queries.invalidateQueries({ queryKey: channelsKey }),
  });
  const create = (
    <button className="btn" type="button" aria-haspopup="dialog" onClick={() => setOpen({ kind: 'create' })}>
      New channel
    </button>
  );
  return (
    <section aria-labelledby="channels">
      <div className="section-head">
        <h2 id="channels">Channels</h2>
        {isAdmin ? create : null}
      </div>
      {enable.error === null ? null : <Alert>{errorText(enable.error)}</Alert>}
      <PagedTable
        paged={channels}
        caption="Channels of the workspace"
        moreName="Show more channels"
        keyOf={({ id }) => id}
        empty={
          <EmptyState icon="bell" title="No channel">
            <span className="soft">Nobody is told by mail or webhook when an agent asks.</span>
          </EmptyState>
        }
        columns={[
          {
            name: 'Channel',
            header: true,
            cell: ({ name, type, url, to }) => (
              <>
                <HostileText text={name} />
                <span className="sub">
                  {type === 'email' ? 'E-mail to ' : 'Webhook to '}
                  <HostileText text={url ?? (to ?? []).join(', ')} />
                </span>
              </>
            ),
          },
          {
            name: 'Told about',
            cell: ({ events }) => (
              <details className="told">
                <summary>
                  {events.length === 0 ? 'Escalations only' : plural(events.length, 'event type')}
                </summary>
                <code>{events.length === 0 ? 'steps of policies that name it' : events.join(', ')}</code>
              </details>
            ),
          },
          { name: 'State', cell: (channel) => <ChannelState channel={channel} /> },
          ...(isAdmin
            ? [
                {
                  name: 'Actions',
                  cell: (channel: Channel) => (
                    <ChannelActions
                      channel={channel}
                      isChanging={enable.isPending}
                      onOpen={(kind) => setOpen({ kind, channel })}
                      onEnable={() => enable.mutate(channel)}
                    />
                  ),
                },
              ]
            : []),
        ]}
      />
      {open.kind === 'create' ? <ChannelDialog onClose={close} /> : null}
      {open.kind === 'change' ? <ChannelDialog channel={open.channel} onClose={close} /> : null}
      {open.kind === 'test' ? <TestDialog channel={open.channel} onClose={close} /> : null}
      {open.kind === 'rotate' ? <RotateSecretDialog channel={open.channel} onClose={close} /> : null}
      {open.kind === 'delete' ? <DeleteChannelDialog channel={open.channel} onClose={close} /> : null}
    </section>
  );
}

const disabledTexts = {
  gone: 'the receiver said that it is gone',
  failing: 'no delivery arrived for days',
} as const;

function ChannelState({ channel }: { readonly channel: Channel }) {
  const { enabled, disabled_reason, former_secret_until } = channel;
  return (
    <>
      {enabled ? (
        <span className="tag ok">
          <Icon name="check" />
          On
        </span>
      ) : (
        <span className={disabled_reason === null ? 'tag flat' : 'tag bad'}>
          <Icon name="off" />
          Off
        </span>
      )}
      {disabled_reason === null ? null : (
        <span className="sub">by the system: {disabledTexts[disabled_reason]}</span>
      )}
      {former_secret_until === null ? null : (
        <span className="sub">
          also signed with the old secret until <Time at={former_secret_until} show="exact" />
        </span>
      )}
    </>
  );
}

interface ChannelActionsProps {
  readonly channel: Channel;
  readonly isChanging: boolean;
  readonly onOpen: (kind: 'change' | 'test' | 'rotate' | 'delete') => void;
  readonly onEnable: () => void;
}

function ChannelActions({
  channel: { name, type, enabled },
  isChanging,
  onOpen,
  onEnable,
}: ChannelActionsProps) {
  const opener = (kind: 'change' | 'test' | 'rotate' | 'delete', text: string) => (
    <button className="btn" type="button" aria-haspopup="dialog" onClick={() => onOpen(kind)}>
      {text}
      <span className="sr"> {name}</span>
    </button>
  );
  return (
    <span className="acts-cell">
      {opener('test', 'Send a test')}
      {opener('change', 'Change')}
      {type === 'webhook' ? opener('rotate', 'Rotate secret') : null}
      <button className="btn" type="button" disabled={isChanging} onClick={onEnable}>
        {enabled ? 'Turn off' : 'Turn on'}
        <span className="sr"> {name}</span>
      </button>
      {opener('delete', 'Delete')}
    </span>
  );
}

interface DeleteChannelProps {
  readonly channel: Channel;
  readonly onClose: () => void;
}

function DeleteChannelDialog({ channel, onClose }: DeleteChannelProps) {
  const queries = useQueryClient();
  const remove = useMutation({
    mutationFn: () => deleteChannel(channel.id),
    onSuccess: async () => {
      await queries.invalidateQueries({ queryKey: channelsKey });
      onClose();
    },
  });
  return (
    <Confirm
      title={`Delete ${channel.name}?`}
      description="It is told about nothing any more, also where a policy's escalation names it. Its deliveries stay listed."
      verb="Delete"
      doing="Deleting…"
      isDangerous
      isDoing={remove.isPending}
      error={remove.error}
      onConfirm={() => remove.mutate()}
      onClose={onClose}
    />
  );
}
