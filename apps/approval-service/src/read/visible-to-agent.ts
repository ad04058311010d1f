import type { StatusRow } from './approval-row.js';

/** SQL: an agent sees its own requests and those of agents that act for it. */
export const visibleTo = (table: string, agent: string): string =>
  `(${table}.agent_id = ${agent} OR (${table}.acting_for <> '{}' AND ${table}.acting_for @> ARRAY[${agent}]))`;

/** @param agentId null: an operator, who sees all */
export const maySee = (agentId: string | null, row: Pick<StatusRow, 'agent_id' | 'acting_for'>): boolean =>
  agentId === null || agentId === row.agent_id || row.acting_for.includes(agentId);
