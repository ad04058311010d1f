import { relayProvider, ServiceModule } from '@agentlattice/service';
import { Module } from '@nestjs/common';
import { ChannelsModule } from './channels.module.js';
import { DeliveriesModule } from './deliveries.module.js';
import { OutgoingEventsModule } from './outgoing-events.module.js';

/** The notifier: its modules, and the relay that publishes its own events. */
@Module({
  imports: [ServiceModule.forRoot('notifier'), ChannelsModule, DeliveriesModule, OutgoingEventsModule],
  providers: [relayProvider('notifier')],
})
export class NotifierModule {}
