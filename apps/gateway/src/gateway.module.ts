import { ping, type ServiceName } from '@agentlattice/contracts';
import type { CommandClient } from '@agentlattice/messaging';
import { COMMANDS, HEALTH, type HealthRegistry, Unhealthy, ServiceModule } from '@agentlattice/service';
import { Inject, Module, type OnModuleInit } from '@nestjs/common';
import { HttpModule } from './http.module.js';
import { LiveEventsModule } from './live-events.module.js';
import { McpModule } from './mcp.module.js';
import type { PrincipalDirectory } from './outbound/principal-directory.js';
import type { SubmissionPipeline } from './outbound/submission-pipeline.js';
import { PrincipalsModule } from './principals.module.js';
import { SessionsModule } from './sessions.module.js';
import { SubmissionsModule } from './submissions.module.js';
import { DIRECTORY, PIPELINE } from './tokens.js';

const others: readonly ServiceName[] = ['policy-engine', 'audit-ledger', 'approval-service', 'notifier'];

/** The gateway: its modules, and the checks behind the readiness of the whole system. */
@Module({
  imports: [
    ServiceModule.forRoot('gateway'),
    PrincipalsModule,
    SessionsModule,
    SubmissionsModule,
    LiveEventsModule,
    McpModule,
    HttpModule,
  ],
})
export class GatewayModule implements OnModuleInit {
  constructor(
    @Inject(DIRECTORY) private readonly directory: PrincipalDirectory,
    @Inject(PIPELINE) private readonly pipeline: SubmissionPipeline,
    @Inject(COMMANDS) private readonly commands: CommandClient,
    @Inject(HEALTH) private readonly health: HealthRegistry,
  ) {}

  onModuleInit(): void {
    this.health.watch('keys', async () =>
      requireHealthy(await this.directory.becomesFresh(), 'keys', 'the keys may be out of date'),
    );
    this.health.add(
      'ledger-heartbeat',
      async () =>
        requireHealthy(
          await this.pipeline.ledgerAnswers(),
          'ledger-heartbeat',
          'the audit ledger does not answer',
        ),
      'full',
    );
    for (const service of others) this.health.add(service, () => this.checkOther(service), 'full');
  }

  /** @throws Unhealthy with the faults that the service names; the faults that make it not ready come first */
  private async checkOther(service: ServiceName): Promise<void> {
    const {
      ready,
      missing,
      troubles = [],
    } = await this.commands.request(ping(service), {}, { timeoutMs: 900 });
    const away = ready
      ? []
      : [{ name: service, reason: `the ${service} is not ready (${missing.join(', ')})` }];
    const faults = [...away, ...troubles.map((trouble) => ({ ...trouble, degraded: true }))];
    if (faults.length > 0) throw new Unhealthy(faults);
  }
}

/** @throws Unhealthy */
function requireHealthy(isWell: boolean, name: string, reason: string): void {
  if (!isWell) throw new Unhealthy([{ name, reason }]);
}
