import type { ActingUnder } from '@agentlattice/contracts';

/** The agents above an agent, as `lineage` reads them. */
export interface LineageRow {
  readonly delegation_id: string | null;
  readonly ancestors: string[] | null;
  /** The first one first; null when there is none. */
  readonly lineage: ActingUnder['ancestors'] | null;
  readonly lineage_suspended: boolean | null;
  readonly lineage_resumed_at: Date | null;
}

/** Joins the agents that the agent `a` acts for, as one row `l`. */
export const joinLineage = `LEFT JOIN LATERAL (
         SELECT jsonb_agg(jsonb_build_object('id', x.id, 'name', x.name, 'owner_member_id', x.owner_member_id)
                          ORDER BY u.place) AS lineage,
                bool_or(x.suspended) AS lineage_suspended, max(x.resumed_at) AS lineage_resumed_at
           FROM unnest(a.ancestors) WITH ORDINALITY AS u (id, place)
           JOIN agent x ON x.org_id = a.org_id AND x.id = u.id) AS l ON a.delegation_id IS NOT NULL`;

export const lineageColumns =
  'a.delegation_id, a.ancestors, l.lineage, l.lineage_suspended, l.lineage_resumed_at';

/** The delegation of an agent; null for an agent that acts for no other, undefined when an agent above it is missing. */
export function actingUnderOf({
  delegation_id,
  ancestors,
  lineage,
}: LineageRow): ActingUnder | null | undefined {
  if (delegation_id === null) return null;
  if (lineage === null || lineage.length !== ancestors?.length) return undefined;
  return { id: delegation_id, ancestors: lineage };
}

/** Whether the agent is suspended, or one that it acts for, and when the last of them was resumed. */
export function standingIn(
  own: { readonly suspended: boolean; readonly resumed_at: Date | null },
  { lineage_suspended, lineage_resumed_at }: LineageRow,
): { readonly suspended: boolean; readonly resumedAt: number | null } {
  const resumed = [own.resumed_at, lineage_resumed_at].flatMap((at) => (at === null ? [] : [at.getTime()]));
  return {
    suspended: own.suspended || lineage_suspended === true,
    resumedAt: resumed.length === 0 ? null : Math.max(...resumed),
  };
}
