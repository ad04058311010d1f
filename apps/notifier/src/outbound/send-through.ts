import { channelSettings, type ChannelType } from '@agentlattice/contracts';
import type { CloudEvent } from '../domain/mail-content.js';
import type { ChannelSender, ChannelSenders, Sent } from './channels/channel-sender.js';
import type { SecretBox } from './secret-box.js';

export interface OutgoingMessage {
  readonly deliveryId: string;
  readonly channelId: string | null;
  readonly type: ChannelType;
  readonly settings: unknown;
  /** Sealed. */
  readonly secret: string | null;
  readonly formerSecret: string | null;
  readonly event: CloudEvent;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/** Sends a message with the sender of its type. */
export function sendThrough(
  { senders, box }: { readonly senders: ChannelSenders; readonly box: SecretBox },
  { channelId, type, settings, secret, formerSecret, ...message }: OutgoingMessage,
): Promise<Sent> {
  const secrets = [secret, formerSecret].flatMap((sealed) =>
    sealed === null || channelId === null ? [] : [box.open(sealed, channelId)],
  );
  // Sender and settings are of the same type, which the compiler cannot infer through the table.
  const sender = senders[type] as ChannelSender;
  return sender.send({ ...message, secrets, settings: channelSettings[type].parse(settings) });
}
