import type { NotifierConfig } from '../../config.js';
import type { ChannelSenders } from './channel-sender.js';
import { EmailSender } from './email-sender.js';
import { Egress } from '../egress.js';
import { WebhookSender } from './webhook-sender.js';

/** The senders of all types of channels; a type of the contract without a sender does not compile. */
export function channelSenders(config: NotifierConfig): ChannelSenders {
  const egress = new Egress(config.egressAllow);
  return { email: new EmailSender(config), webhook: new WebhookSender(egress) };
}
