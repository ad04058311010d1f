import { eventStoreMigration, numberingInCommitMigration } from '@agentlattice/event-store';
import { ApprovalTables1764000000200 } from './approval-tables-1764000000200.js';
import { Deciding1764100000100 } from './deciding-1764100000100.js';
import { Escalations1764100000200 } from './escalations-1764100000200.js';
import { OpenRequests1796100000000 } from './open-requests-1796100000000.js';
import { PolicyChanges1764100000150 } from './policy-changes-1764100000150.js';
import { Suspensions1764400000200 } from './suspensions-1764400000200.js';

export const migrations = [
  eventStoreMigration('approval-service', 1764000000000),
  ApprovalTables1764000000200,
  Deciding1764100000100,
  PolicyChanges1764100000150,
  Escalations1764100000200,
  numberingInCommitMigration(1796000000000),
  OpenRequests1796100000000,
  Suspensions1764400000200,
];
