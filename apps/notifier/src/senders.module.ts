import { Inject, Module, type OnApplicationShutdown } from '@nestjs/common';
import { type NotifierConfig, readNotifierConfig } from './config.js';
import type { ChannelSenders } from './outbound/channels/channel-sender.js';
import { channelSenders } from './outbound/channels/channel-senders.js';
import { SecretBox } from './outbound/secret-box.js';
import { NOTIFIER_CONFIG, SECRET_BOX, SENDERS } from './tokens.js';

/** The senders of all types of channels, and the secrets that they sign with. */
@Module({
  providers: [
    { provide: NOTIFIER_CONFIG, useFactory: () => readNotifierConfig(process.env) },
    { provide: SENDERS, inject: [NOTIFIER_CONFIG], useFactory: channelSenders },
    {
      provide: SECRET_BOX,
      inject: [NOTIFIER_CONFIG],
      useFactory: ({ channelSecretsKey }: NotifierConfig) => new SecretBox(channelSecretsKey),
    },
  ],
  exports: [SENDERS, SECRET_BOX],
})
export class SendersModule implements OnApplicationShutdown {
  constructor(@Inject(SENDERS) private readonly senders: ChannelSenders) {}

  /** Runs after the modules that send were stopped. */
  onApplicationShutdown(): void {
    for (const sender of Object.values(this.senders)) sender.close?.();
  }
}
