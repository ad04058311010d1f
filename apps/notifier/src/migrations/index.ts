import { eventStoreMigration, inboxMigration, numberingInCommitMigration } from '@agentlattice/event-store';
import { ChannelFailures1764200000200 } from './1764200000200-channel-failures.js';
import { ChannelTables1764100000200 } from './1764100000200-channel-tables.js';
import { OutgoingEvents1764000000200 } from './1764000000200-outgoing-events.js';
import { WebhookUrls1764300000200 } from './1764300000200-webhook-urls.js';

export const migrations = [
  inboxMigration('notifier', 1764000000000),
  OutgoingEvents1764000000200,
  eventStoreMigration('notifier', 1764100000100, { hasInbox: true }),
  ChannelTables1764100000200,
  ChannelFailures1764200000200,
  WebhookUrls1764300000200,
  numberingInCommitMigration(1796000000000),
];
