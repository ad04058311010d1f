import { eventStoreMigration, numberingInCommitMigration } from '@agentlattice/event-store';
import { Principals1764050000001 } from './1764050000001-principals.js';
import { AgentNames1764500000020 } from './1764500000020-agent-names.js';
import { Consent1764500000010 } from './1764500000010-consent.js';
import { Suspensions1764400000001 } from './1764400000001-suspensions.js';
import { AgentRegistrants1796200000300 } from './1796200000300-agent-registrants.js';
import { PlainAgentNames1796200000200 } from './1796200000200-plain-agent-names.js';
import { SeenAgentNames1796400000000 } from './1796400000000-seen-agent-names.js';
import { DelegatedAgents1797300000100 } from './1797300000100-delegated-agents.js';
import { KeyHolders1796200000000 } from './1796200000000-key-holders.js';
import { Sessions1797300000000 } from './1797300000000-sessions.js';
import { Members1797300000100 } from './1797300000100-members.js';
import { InvitationLinks1797300000200 } from './1797300000200-invitation-links.js';
import { MembershipsByClaims1797300000300 } from './1797300000300-memberships-by-claims.js';

export const migrations = [
  eventStoreMigration('gateway', 1764050000000),
  Principals1764050000001,
  numberingInCommitMigration(1796000000000),
  Consent1764500000010,
  Suspensions1764400000001,
  AgentNames1764500000020,
  KeyHolders1796200000000,
  PlainAgentNames1796200000200,
  AgentRegistrants1796200000300,
  SeenAgentNames1796400000000,
  DelegatedAgents1797300000100,
  Sessions1797300000000,
  Members1797300000100,
  InvitationLinks1797300000200,
  MembershipsByClaims1797300000300,
];
