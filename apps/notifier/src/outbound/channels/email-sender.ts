import type { Transporter } from 'nodemailer';
import type { NotifierConfig } from '../../config.js';
import { mailContent, withoutLink } from '../../domain/mail-content.js';
import { renderMail } from '../mail/render-mail.js';
import { smtpTransport, within } from '../mail/smtp-transport.js';
import type { Outcome } from '../../domain/outcome.js';
import type { ChannelSender, Message, Sent } from './channel-sender.js';

/** Sends mail through the operator's SMTP server. */
export class EmailSender implements ChannelSender<'email'> {
  readonly signed = false;
  /** One connection for each mail, so that the queue alone decides the order. */
  readonly atOnce = 16;
  private readonly transport: Transporter | undefined;

  constructor(private readonly config: Pick<NotifierConfig, 'smtpUrl' | 'mailFrom' | 'publicUrl'>) {
    this.transport = smtpTransport(config.smtpUrl, this.atOnce);
  }

  async send({ deliveryId, event, settings: { to }, timeoutMs, signal }: Message<'email'>): Promise<Sent> {
    const { mailFrom: from, publicUrl } = this.config;
    const content = mailContent(event, publicUrl);
    const { subject } = content;
    const shown = { from, to, subject, ...renderMail(withoutLink(content)) };
    const domain = /@([^\s@<>]+)>?$/.exec(from)?.[1] ?? 'localhost';
    // The same at every attempt, so that mail programs show a repetition once.
    const messageId = `<${deliveryId}@${domain}>`;
    const thread = `<${event.subject}@${domain}>`;
    const request = {
      method: 'MAIL',
      target: to.join(', '),
      headers: { From: from, To: to.join(', '), Subject: subject, 'Message-ID': messageId },
      body: shown.text,
    };
    const { transport } = this;
    if (transport === undefined) return { request, outcome: { kind: 'kept', mail: shown } };
    const sending = transport.sendMail({
      ...shown,
      ...renderMail(content),
      messageId,
      references: thread,
      headers: { 'Auto-Submitted': 'auto-generated', 'X-Event-Type': event.type },
    });
    try {
      const { response = '', rejected = [] } = await within(sending, timeoutMs, signal);
      const refused = rejected.length === 0 ? '' : `; not taken for ${rejected.join(', ')}`;
      return {
        request,
        outcome: { kind: 'delivered', status: codeOf(response), answer: `${response}${refused}` },
      };
    } catch (error) {
      return { request, outcome: failureOf(error) };
    }
  }

  close(): void {
    this.transport?.close();
  }
}

function failureOf(error: unknown): Outcome {
  const { responseCode, response, message, code } = error as {
    responseCode?: unknown;
    response?: unknown;
    message?: unknown;
    code?: unknown;
  };
  const status = typeof responseCode === 'number' ? responseCode : null;
  return {
    kind: 'failed',
    error: typeof message === 'string' ? message : 'the mail server did not accept the mail',
    status,
    answer: typeof response === 'string' ? response : null,
    refused: status !== null,
    // The server will never accept this mail. A failed login (EAUTH) is not final, because the operator can repair it.
    final: status !== null && status >= 550 && (code === 'EENVELOPE' || code === 'EMESSAGE'),
  };
}

const codeOf = (response: string) => {
  const code = /^(\d{3})\b/.exec(response)?.[1];
  return code === undefined ? null : Number(code);
};
