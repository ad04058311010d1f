import { LedgerTables1795590000000 } from './1795590000000-ledger-tables.js';
import { ReportTables1795600000000 } from './1795600000000-report-tables.js';
import { PolicyEntries1795610000000 } from './1795610000000-policy-entries.js';
import { DelegatedAgents1797300000200 } from './1797300000200-delegated-agents.js';

export const migrations = [
  LedgerTables1795590000000,
  ReportTables1795600000000,
  PolicyEntries1795610000000,
  DelegatedAgents1797300000200,
];
