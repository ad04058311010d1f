import { notifierCommands } from '@agentlattice/contracts';
import { Controller, Inject } from '@nestjs/common';
import { MessagePattern, Payload } from '@nestjs/microservices';
import type { Invitation, InvitationMailer } from '../outbound/mail/invitation-mailer.js';
import { INVITATION_MAILER } from '../tokens.js';

const { mail_invitation } = notifierCommands;

@Controller()
export class InvitationsResponder {
  constructor(@Inject(INVITATION_MAILER) private readonly mailer: InvitationMailer) {}

  @MessagePattern(mail_invitation.subject, { command: mail_invitation })
  send(@Payload() invitation: Invitation) {
    return this.mailer.send(invitation);
  }
}
