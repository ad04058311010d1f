import { ServiceModule } from '@agentlattice/service';
import { Module } from '@nestjs/common';
import { ApprovalsModule } from './approvals.module.js';
import { PolicyChangesModule } from './policy-changes.module.js';

@Module({ imports: [ServiceModule.forRoot('approval-service'), ApprovalsModule, PolicyChangesModule] })
export class ApprovalServiceModule {}
