import type { AuditFilter } from '../../api/audit.js';

const names = [
  'event_id',
  'approval_id',
  'agent_id',
  'action_type',
  'type',
  'decision',
  'operator_id',
  'policy_id',
  'from_time',
  'to_time',
] as const;

/** The filters of the log as they stand in the address. */
export type AuditSearch = AuditFilter;

/** Takes what is understood and leaves the rest out; times that are none are left out too. */
export function readAuditSearch(search: Readonly<Record<string, unknown>>): AuditSearch {
  return Object.fromEntries(
    names.flatMap((name) => {
      const value = search[name];
      if (typeof value !== 'string' || value === '') return [];
      if (name.endsWith('_time') && Number.isNaN(Date.parse(value))) return [];
      return [[name, value.slice(0, 255)]];
    }),
  );
}

export const isSearched = (search: AuditSearch): boolean => Object.keys(search).length > 0;

/** `2026-11-29T01:30`, in the reader's zone, as a field for date and time takes it. */
export function localTimeOf(instant: string | undefined): string {
  if (instant === undefined) return '';
  const date = new Date(instant);
  return new Date(date.getTime() - date.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}

/** The instant of a local date and time; undefined when nothing was entered. */
export function instantOf(local: string): string | undefined {
  const date = new Date(local);
  return local === '' || Number.isNaN(date.getTime()) ? undefined : date.toISOString();
}
