import { LedgerTables1795590000000 } from './ledger-tables.js';
import { PolicyEntries1795610000000 } from './policy-entries-1795610000000.js';
import { ReportTables1795600000000 } from './report-tables.js';

export const migrations = [LedgerTables1795590000000, ReportTables1795600000000, PolicyEntries1795610000000];
