import { runService } from '@agentlattice/service';
import { AuditLedgerModule } from './audit-ledger.module.js';
import { migrations } from './migrations/index.js';

await runService({ service: 'audit-ledger', module: AuditLedgerModule, migrations });
