import { eventStoreMigration } from '@agentlattice/event-store';
import { Principals1764050000001 } from './1764050000001-principals.js';
import { Suspensions1764400000001 } from './1764400000001-suspensions.js';

export const migrations = [
  eventStoreMigration('gateway', 1764050000000),
  Principals1764050000001,
  Suspensions1764400000001,
];
