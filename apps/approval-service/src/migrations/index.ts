import { eventStoreMigration } from '@agentlattice/event-store';
import { ApprovalTables1764000000200 } from './approval-tables-1764000000200.js';

export const migrations = [
  eventStoreMigration('approval-service', 1764000000000),
  ApprovalTables1764000000200,
];
