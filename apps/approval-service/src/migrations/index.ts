import { eventStoreMigration, numberingInCommitMigration } from '@agentlattice/event-store';
import { ApprovalTables1764000000200 } from './1764000000200-approval-tables.js';
import { DashboardReads1798000000000 } from './1798000000000-dashboard-reads.js';
import { Deciding1764100000100 } from './1764100000100-deciding.js';
import { Escalations1764100000200 } from './1764100000200-escalations.js';
import { MemberChanges1797300000200 } from './1797300000200-member-changes.js';
import { OpenRequests1796100000000 } from './1796100000000-open-requests.js';
import { PolicyChanges1764100000150 } from './1764100000150-policy-changes.js';
import { RejudgingClaims1797200000000 } from './1797200000000-rejudging-claims.js';
import { Suspensions1764400000200 } from './1764400000200-suspensions.js';

export const migrations = [
  eventStoreMigration('approval-service', 1764000000000),
  ApprovalTables1764000000200,
  Deciding1764100000100,
  PolicyChanges1764100000150,
  Escalations1764100000200,
  numberingInCommitMigration(1796000000000),
  OpenRequests1796100000000,
  Suspensions1764400000200,
  RejudgingClaims1797200000000,
  MemberChanges1797300000200,
  DashboardReads1798000000000,
];
