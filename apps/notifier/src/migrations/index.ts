import { eventStoreMigration, inboxMigration, numberingInCommitMigration } from '@agentlattice/event-store';
import { ChannelFailures1764200000200 } from './channel-failures-1764200000200.js';
import { ChannelTables1764100000200 } from './channel-tables-1764100000200.js';
import { OutgoingEvents1764000000200 } from './outgoing-events-1764000000200.js';
import { WebhookUrls1764300000200 } from './webhook-urls-1764300000200.js';

export const migrations = [
  inboxMigration('notifier', 1764000000000),
  OutgoingEvents1764000000200,
  eventStoreMigration('notifier', 1764100000100, { hasInbox: true }),
  ChannelTables1764100000200,
  ChannelFailures1764200000200,
  WebhookUrls1764300000200,
  numberingInCommitMigration(1796000000000),
];
