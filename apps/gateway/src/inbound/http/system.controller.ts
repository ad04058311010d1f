import {
  approvalServiceCommands,
  auditLedgerCommands,
  openApiDocument,
  type RouteOutput,
  routes,
} from '@agentlattice/contracts';
import type { CommandClient } from '@agentlattice/messaging';
import { COMMANDS } from '@agentlattice/service';
import { Controller, Inject, Req, Res } from '@nestjs/common';
import { Handles } from './route-decorators.js';
import type { GatewayReply, GatewayRequest } from './http-request.js';
import { PublicDocument } from './public-document.js';

/** The public documents. Health and readiness are served as by every service. */
@Controller()
export class SystemController {
  private readonly document = new PublicDocument(openApiDocument());

  constructor(@Inject(COMMANDS) private readonly commands: CommandClient) {}

  @Handles(routes.jwks)
  async jwks(): Promise<RouteOutput<typeof routes.jwks>> {
    // With only some of the keys valid grants would look forged, so a missing signer is a 503.
    const sets = await Promise.all([
      this.commands.request(auditLedgerCommands.jwks, {}),
      this.commands.request(approvalServiceCommands.jwks, {}),
    ]);
    return { keys: sets.flatMap(({ keys }) => keys) };
  }

  @Handles(routes.openApi)
  openApi(@Req() request: GatewayRequest, @Res() reply: GatewayReply): void {
    this.document.send(request, reply);
  }
}
