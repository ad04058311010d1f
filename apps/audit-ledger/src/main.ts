import { runService } from '@agentlattice/service';
import { AuditLedgerModule } from './audit-ledger.module.js';

await runService({ service: 'audit-ledger', module: AuditLedgerModule });
