import { eventStoreMigration, numberingInCommitMigration } from '@agentlattice/event-store';
import { ForeverTables1764000000300 } from './forever-tables-1764000000300.js';
import { PolicyAuthors1764200000100 } from './policy-authors-1764200000100.js';
import { PolicyKeyHolders1796200000100 } from './policy-key-holders-1796200000100.js';
import { PolicyTables1764000000100 } from './policy-tables-1764000000100.js';

export const migrations = [
  eventStoreMigration('policy-engine', 1764000000000),
  PolicyTables1764000000100,
  ForeverTables1764000000300,
  PolicyAuthors1764200000100,
  numberingInCommitMigration(1796000000000),
  PolicyKeyHolders1796200000100,
];
