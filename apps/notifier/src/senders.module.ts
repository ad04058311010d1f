import { Inject, Module, type OnApplicationShutdown } from '@nestjs/common';
import type { Logger } from '@agentlattice/observability';
import { LOGGER } from '@agentlattice/service';
import { type NotifierConfig, readNotifierConfig } from './config.js';
import { InvitationsResponder } from './inbound/invitations.responder.js';
import type { ChannelSenders } from './outbound/channels/channel-sender.js';
import { channelSenders } from './outbound/channels/channel-senders.js';
import { InvitationMailer } from './outbound/mail/invitation-mailer.js';
import { SecretBox } from './outbound/secret-box.js';
import { INVITATION_MAILER, NOTIFIER_CONFIG, SECRET_BOX, SENDERS } from './tokens.js';

/** The senders of all types of channels, and the secrets that they sign with. */
@Module({
  providers: [
    { provide: NOTIFIER_CONFIG, useFactory: () => readNotifierConfig(process.env) },
    { provide: SENDERS, inject: [NOTIFIER_CONFIG], useFactory: channelSenders },
    {
      provide: INVITATION_MAILER,
      inject: [NOTIFIER_CONFIG, LOGGER],
      useFactory: (config: NotifierConfig, logger: Logger) => new InvitationMailer(config, logger),
    },
    {
      provide: SECRET_BOX,
      inject: [NOTIFIER_CONFIG],
      useFactory: ({ channelSecretsKey, otherChannelSecretsKeys }: NotifierConfig) =>
        new SecretBox(channelSecretsKey, otherChannelSecretsKeys),
    },
  ],
  controllers: [InvitationsResponder],
  exports: [SENDERS, SECRET_BOX],
})
export class SendersModule implements OnApplicationShutdown {
  constructor(
    @Inject(SENDERS) private readonly senders: ChannelSenders,
    @Inject(INVITATION_MAILER) private readonly mailer: InvitationMailer,
  ) {}

  /** Runs after the modules that send were stopped. */
  onApplicationShutdown(): void {
    for (const sender of Object.values(this.senders)) sender.close?.();
    this.mailer.close();
  }
}
