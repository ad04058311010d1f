import { eventStoreMigration } from '@agentlattice/event-store';
import { Principals1764050000001 } from './1764050000001-principals.js';
import { AgentNames1764500000020 } from './1764500000020-agent-names.js';
import { Consent1764500000010 } from './1764500000010-consent.js';

export const migrations = [
  eventStoreMigration('gateway', 1764050000000),
  Principals1764050000001,
  Consent1764500000010,
  AgentNames1764500000020,
];
