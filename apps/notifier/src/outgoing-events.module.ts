import { POOL } from '@agentlattice/service';
import { Module } from '@nestjs/common';
import type pg from 'pg';
import { DeliveriesModule } from './deliveries.module.js';
import { OutcomesConsumer } from './inbound/outcomes.consumer.js';
import { OutgoingEventsConsumer } from './inbound/outgoing-events.consumer.js';
import { OutgoingEventsResponder } from './inbound/outgoing-events.responder.js';
import { OutgoingReader } from './read/outgoing-reader.js';
import { OUTGOING_READER } from './tokens.js';

/** The events for people and alerting systems, taken from the events of the other services. */
@Module({
  imports: [DeliveriesModule],
  controllers: [OutgoingEventsResponder],
  providers: [
    { provide: OUTGOING_READER, inject: [POOL], useFactory: (pool: pg.Pool) => new OutgoingReader(pool) },
    OutgoingEventsConsumer,
    OutcomesConsumer,
  ],
})
export class OutgoingEventsModule {}
