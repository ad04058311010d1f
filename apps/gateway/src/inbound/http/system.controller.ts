import {
  approvalServiceCommands,
  auditLedgerCommands,
  openApiDocument,
  type RouteOutput,
  routes,
} from '@agentlattice/contracts';
import type { CommandClient } from '@agentlattice/messaging';
import { COMMANDS } from '@agentlattice/service';
import { Controller, Inject } from '@nestjs/common';
import { Handles } from './handles.js';

/** What anybody may read. Health and readiness are served as by every service. */
@Controller()
export class SystemController {
  private readonly document = openApiDocument();

  constructor(@Inject(COMMANDS) private readonly commands: CommandClient) {}

  @Handles(routes.jwks)
  async jwks(): Promise<RouteOutput<typeof routes.jwks>> {
    // Half of them would make good grants look forged, so a missing signer is a 503.
    const sets = await Promise.all([
      this.commands.request(auditLedgerCommands.jwks, {}),
      this.commands.request(approvalServiceCommands.jwks, {}),
    ]);
    return { keys: sets.flatMap(({ keys }) => keys) };
  }

  @Handles(routes.openApi)
  openApi(): RouteOutput<typeof routes.openApi> {
    return this.document;
  }
}
