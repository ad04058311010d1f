import { eventStoreMigration, numberingInCommitMigration } from '@agentlattice/event-store';
import { ForeverTables1764000000300 } from './1764000000300-forever-tables.js';
import { PolicyAuthors1764200000100 } from './1764200000100-policy-authors.js';
import { PolicyKeyHolders1796200000100 } from './1796200000100-policy-key-holders.js';
import { Delegations1797300000000 } from './1797300000000-delegations.js';
import { PolicyTables1764000000100 } from './1764000000100-policy-tables.js';

export const migrations = [
  eventStoreMigration('policy-engine', 1764000000000),
  PolicyTables1764000000100,
  ForeverTables1764000000300,
  PolicyAuthors1764200000100,
  numberingInCommitMigration(1796000000000),
  PolicyKeyHolders1796200000100,
  Delegations1797300000000,
];
