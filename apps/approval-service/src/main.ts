import 'reflect-metadata';
import { runService } from '@agentlattice/service';
import { ApprovalServiceModule } from './approval-service.module.js';
import { migrations } from './migrations/index.js';

await runService({ service: 'approval-service', module: ApprovalServiceModule, migrations });
