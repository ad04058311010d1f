import { type CommandRequest, notifierCommands } from '@agentlattice/contracts';
import type { Logger } from '@agentlattice/observability';
import type { Transporter } from 'nodemailer';
import type { NotifierConfig } from '../../config.js';
import { invitationContent } from '../../domain/mail-content.js';
import { renderMail } from './render-mail.js';
import { smtpTransport, within } from './smtp-transport.js';

export type Invitation = CommandRequest<typeof notifierCommands.mail_invitation>;

const atOnce = 4;
const timeoutMs = 5_000;

/** Sends the link of an invitation at once. The mail is stored nowhere, because its link is a secret. */
export class InvitationMailer {
  private readonly transport: Transporter | undefined;

  constructor(
    private readonly config: Pick<NotifierConfig, 'smtpUrl' | 'mailFrom'>,
    private readonly logger: Logger,
  ) {
    this.transport = smtpTransport(config.smtpUrl, atOnce);
  }

  async send(invitation: Invitation): Promise<{ outcome: 'sent' | 'kept' | 'failed' }> {
    if (this.transport === undefined) return { outcome: 'kept' };
    const content = invitationContent(invitation);
    const sending = this.transport.sendMail({
      from: this.config.mailFrom,
      to: invitation.to,
      subject: content.subject,
      ...renderMail(content),
      headers: { 'Auto-Submitted': 'auto-generated' },
    });
    try {
      await within(sending, timeoutMs);
      return { outcome: 'sent' };
    } catch (error) {
      const { org_id, member_id } = invitation;
      const reason = error instanceof Error ? error.message : 'unknown';
      this.logger.warn({ org_id, member_id, reason }, 'an invitation could not be mailed');
      return { outcome: 'failed' };
    }
  }

  close(): void {
    this.transport?.close();
  }
}
