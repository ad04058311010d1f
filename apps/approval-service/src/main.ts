import 'reflect-metadata';
import { runService } from '@agentlattice/service';
import { ApprovalServiceModule } from './approval-service.module.js';

await runService({ service: 'approval-service', module: ApprovalServiceModule });
