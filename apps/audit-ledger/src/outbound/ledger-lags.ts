import { intakeLagSeconds, inTransitSeconds } from '@agentlattice/event-store';
import type { CommandClient } from '@agentlattice/messaging';
import type { Lag } from '@agentlattice/service';
import type pg from 'pg';
import { type ForeignSource, foreignSources } from '../domain/foreign-source.js';

export interface LedgerLagPorts {
  readonly pool: pg.Pool;
  readonly client: CommandClient;
  /** For how long waiting entries could not be written by the writer, if it runs here. */
  readonly blockedSeconds: () => number;
  /** Makes the writer, if it runs here, ask the sources for missing events. */
  readonly catchUp: () => void;
}

/** A commit that fails once may be a race; only longer failures are reported. */
const unwritableSeconds = 2;

/** The lags of the audit log. All except the writer's failures are in the tables, so any instance can measure them. */
export function ledgerLags(ports: LedgerLagPorts): Lag[] {
  const { pool, blockedSeconds } = ports;
  return [
    {
      kind: 'ledger',
      name: 'audit log',
      attributes: {},
      measure: () => Promise.resolve(blockedSeconds()),
      redSeconds: unwritableSeconds,
      reason: (seconds) => `the audit log could not be written for ${String(seconds)} s`,
    },
    {
      kind: 'relay',
      name: 'relay of the audit-ledger',
      attributes: { relay: 'audit-ledger' },
      measure: () => entryRelayLag(pool),
    },
    ...foreignSources.map((source): Lag => ({
      kind: 'intake',
      name: `audit-ledger-events from the ${source}`,
      attributes: { consumer: 'audit-ledger-events', source },
      measure: () => intakeLag(ports, source),
    })),
  ];
}

async function intakeLag({ pool, client, catchUp }: LedgerLagPorts, source: ForeignSource): Promise<number> {
  const position = async () => {
    const { rows } = await pool.query<{ gpos: string }>(
      'SELECT gpos FROM source_position WHERE source = $1',
      [source],
    );
    return Number(rows[0]?.gpos ?? 0);
  };
  const lag = await intakeLagSeconds({ pool, client, source, position });
  if (lag > inTransitSeconds) catchUp();
  return lag;
}

async function entryRelayLag(pool: pg.Pool): Promise<number> {
  const { rows } = await pool.query<{ seconds: string }>(
    `SELECT extract(epoch FROM clock_timestamp() - time) AS seconds FROM entry
      WHERE gpos > (SELECT gpos FROM relay_position) ORDER BY gpos LIMIT 1`,
  );
  return Math.max(0, Number(rows[0]?.seconds ?? 0));
}
