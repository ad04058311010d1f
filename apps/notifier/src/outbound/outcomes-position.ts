import { auditLedgerCommands, type OutgoingEventType } from '@agentlattice/contracts';
import type { Queryable, Statement } from '@agentlattice/event-store';
import type { CommandClient } from '@agentlattice/messaging';
import type pg from 'pg';

/** Outcomes of submissions, taken in only while a channel asks for them. */
export const outcomeTypes = ['action.executed', 'action.denied'] as const satisfies OutgoingEventType[];
export const outcomesDurable = 'notifier-outcomes';

export const asksForOutcomes = ({
  enabled,
  events,
}: {
  readonly enabled: boolean;
  readonly events: readonly OutgoingEventType[];
}) => enabled && outcomeTypes.some((type) => events.includes(type));

/** @throws Unavailable */
export async function readOutcomesHead(client: CommandClient): Promise<number> {
  const request = { after_gpos: 0, limit: 1, types: [] };
  return (await client.request(auditLedgerCommands.replay, request)).head_gpos;
}

/**
 * Takes in outcomes from here on. Part of the transaction that makes a channel ask for outcomes, before the channel is written, so that
 * none is missed after the answer. While another channel asks, the position does not change. It never goes back.
 */
export const followOutcomesFromStatement = (head: number): Statement => ({
  text: `INSERT INTO consumer_position AS p (consumer, source, checked_gpos) VALUES ($1, 'audit-ledger', $2)
    ON CONFLICT (consumer, source) DO UPDATE SET checked_gpos = excluded.checked_gpos
     WHERE p.checked_gpos < excluded.checked_gpos
       AND NOT EXISTS (SELECT FROM channel WHERE enabled AND deleted_at IS NULL AND events && $3::text[])`,
  values: [outcomesDurable, head, outcomeTypes],
});

export async function followOutcomesFrom(db: Queryable, head: number): Promise<void> {
  const { text, values } = followOutcomesFromStatement(head);
  await db.query(text, [...values]);
}

/** Whether any channel asks for outcomes. */
export async function outcomesAreWanted(pool: pg.Pool): Promise<boolean> {
  const { rows } = await pool.query(
    'SELECT FROM channel WHERE enabled AND deleted_at IS NULL AND events && $1::text[] LIMIT 1',
    [outcomeTypes],
  );
  return rows.length > 0;
}

/** For a channel made by a version that wrote no position: without a position it would begin with the oldest outcome. */
export async function ensureOutcomesPosition(pool: pg.Pool, client: CommandClient): Promise<void> {
  const known = await pool.query('SELECT FROM consumer_position WHERE consumer = $1', [outcomesDurable]);
  if (known.rows.length > 0) return;
  await followOutcomesFrom(pool, await readOutcomesHead(client));
}
