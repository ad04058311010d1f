import type { NotifierConfig } from '../../config.js';
import type { ChannelSenders } from './channel-sender.js';
import { EmailSender } from './email-sender.js';
import { Egress } from '../egress.js';
import { WebhookSender } from './webhook-sender.js';

/** Every type of channel there is; a type of the contract without its sender does not compile. */
export function channelSenders(config: NotifierConfig): ChannelSenders {
  const egress = new Egress(config.egressAllow);
  return { email: new EmailSender(config), webhook: new WebhookSender(egress) };
}
