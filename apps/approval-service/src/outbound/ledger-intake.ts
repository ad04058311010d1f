import { auditLedgerCommands, type CommandRequest } from '@agentlattice/contracts';
import { Gathering, type NumberedEvent, onCommitted, storable, toWireEvent } from '@agentlattice/event-store';
import type { CommandClient } from '@agentlattice/messaging';
import type { Logger } from '@agentlattice/observability';
import type pg from 'pg';

export interface LedgerIntakePorts {
  /** Through which this process commits its events. */
  readonly pool: pg.Pool;
  readonly commands: CommandClient;
  readonly logger: Logger;
}

type Batch = CommandRequest<typeof auditLedgerCommands.append_events>;

/** Above it the ledger reads the rest from our tables. */
const maxWaiting = 4_096;
const maxEvents = 512;
/** The maximum; NATS allows 1 MiB a message. */
const maxBytes = 768 * 1024;
const timeoutMs = 3_000;

/**
 * Sends committed events to the ledger with their erasable values, which saves a delivery by JetStream and a query for the
 * values. One batch at a time, in order. A batch that is lost is not sent again: the ledger finds missing events by their
 * numbers and reads them from our tables, at the next batch or within two to eight seconds.
 */
export class LedgerIntake {
  private waiting: NumberedEvent[] = [];
  private sending: Promise<void> | undefined;
  private readonly gathering = new Gathering();
  private readonly stopping = new AbortController();
  private ignore: () => void = () => {};

  constructor(private readonly ports: LedgerIntakePorts) {}

  start(): this {
    this.ignore = onCommitted(this.ports.pool, (events) => {
      this.waiting.push(...events);
      if (this.waiting.length > maxWaiting) this.waiting = [];
      this.sending ??= this.send().finally(() => (this.sending = undefined));
    });
    return this;
  }

  /** Committed events are still sent. */
  async stop(): Promise<void> {
    this.stopping.abort();
    this.ignore();
    await this.sending;
  }

  private async send(): Promise<void> {
    while (this.waiting.length > 0) {
      await this.gathering.next(this.stopping.signal);
      for (const batch of batchesOf(this.waiting.splice(0))) await this.deliver(batch);
      this.gathering.ended();
    }
  }

  private async deliver(batch: Batch): Promise<void> {
    try {
      // The events belong to several traces; the ledger records a span for each of them.
      await this.ports.commands.request(auditLedgerCommands.append_events, batch, {
        timeoutMs,
        traceparent: null,
      });
    } catch (error) {
      this.ports.logger.debug(
        { err: error },
        'the ledger did not take a batch of events; it will fetch them',
      );
    }
  }
}

function batchesOf(events: NumberedEvent[]): Batch[] {
  // Listeners may get two commits in the wrong order.
  const ordered = events.sort((a, b) => Number(a.gpos) - Number(b.gpos));
  const batches: { events: Batch['events']; erasable: Batch['erasable']; bytes: number }[] = [];
  for (const event of ordered) {
    const wire = toWireEvent('approval-service', event);
    const { reason, note } = event.erasable ?? {};
    const values =
      reason || note ? [{ event_id: event.event_id, reason: kept(reason), note: kept(note) }] : [];
    // A control character takes six bytes in JSON; no other does.
    const bytes = JSON.stringify(wire).length * 3 + ((reason?.length ?? 0) + (note?.length ?? 0)) * 6 + 200;
    const last = batches.at(-1);
    if (last !== undefined && last.events.length < maxEvents && last.bytes + bytes <= maxBytes) {
      last.events.push(wire);
      last.erasable.push(...values);
      last.bytes += bytes;
    } else batches.push({ events: [wire], erasable: [...values], bytes });
  }
  return batches.map(({ events: together, erasable }) => ({ events: together, erasable }));
}

/** As in our table. */
const kept = (text: string | null | undefined) => (text ? storable(text) : null);
