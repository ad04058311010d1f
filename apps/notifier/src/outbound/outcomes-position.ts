import { auditLedgerCommands, type OutgoingEventType } from '@agentlattice/contracts';
import type { Statement } from '@agentlattice/event-store';
import type { CommandClient } from '@agentlattice/messaging';

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
export async function outcomesHead(client: CommandClient): Promise<number> {
  const request = { after_gpos: 0, limit: 1, types: [] };
  return (await client.request(auditLedgerCommands.replay, request)).head_gpos;
}

/**
 * Outcomes are told from here on. Part of the transaction that makes a channel ask for them, before the channel is
 * written: so nothing is missed after the answer. While another channel asks, the place is where that one has got to; a
 * place that nobody kept up is never gone back to.
 */
export const followingFrom = (head: number): Statement => ({
  text: `INSERT INTO consumer_position AS p (consumer, source, checked_gpos) VALUES ($1, 'audit-ledger', $2)
    ON CONFLICT (consumer, source) DO UPDATE SET checked_gpos = excluded.checked_gpos
     WHERE p.checked_gpos < excluded.checked_gpos
       AND NOT EXISTS (SELECT FROM channel WHERE enabled AND deleted_at IS NULL AND events && $3::text[])`,
  values: [outcomesDurable, head, outcomeTypes],
});
