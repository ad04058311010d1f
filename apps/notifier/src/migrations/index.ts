import { inboxMigration } from '@agentlattice/event-store';
import { OutgoingEvents1764000000200 } from './outgoing-events-1764000000200.js';

export const migrations = [inboxMigration('notifier', 1764000000000), OutgoingEvents1764000000200];
