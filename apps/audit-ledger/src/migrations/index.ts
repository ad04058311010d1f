import { LedgerTables1795590000000 } from './ledger-tables.js';

export const migrations = [LedgerTables1795590000000];
