import { type ConditionEvaluated, type Cue, pointerTo } from '@agentlattice/contracts';
import type { Leaves } from './compare-values.js';
import { mixesScripts, skeletonOf } from './look-alikes.js';

/** The request that is to be decided. */
export interface Asked {
  /** Null where the values were erased or are too large. */
  readonly values: Leaves | null;
  readonly conditions: readonly ConditionEvaluated[];
}

/** An earlier request of the same agent and action type that has ended. */
export interface Ended {
  readonly status: string;
  /** False where the system ended it. */
  readonly byPerson: boolean;
  /** Of an approved one; null where they were erased or are too large. */
  readonly values: Leaves | null;
}

/** What the same agent asked before for the same action type, within 90 days. */
export interface AskHistory {
  readonly askedBefore: boolean;
  /** How often exactly this action was asked for within 10 minutes, with this request. */
  readonly sameOfLate: number;
  /** Newest first, at most 100. */
  readonly ended: readonly Ended[];
}

/** Thresholds: most requests must show no warning, or nobody reads them. */
export const historyDays = 90;
export const repeatMinutes = 10;
const fewestRepeats = 3;
const recent = 5;
const fewestDenials = 2;
/** So many approvals with one value make another value remarkable. */
const fewestAlike = 3;
const lastApprovals = 10;
const mostOfOneKind = 3;
const longestCompared = 256;

/** The facts worth knowing before deciding, warnings first; from what the system recorded and not from what the agent says. */
export function cuesOf(asked: Asked, history: AskHistory): Cue[] {
  const approved = history.ended.filter(({ status }) => status === 'approved').map(({ values }) => values);
  const lookAlikes = looksLike(asked.values, approved);
  const largest = largestOf(asked, approved);
  const marked = new Set([...lookAlikes, ...largest].map(({ field }) => field));
  return [
    ...(history.askedBefore ? [] : [warning('first_time', null, { days: historyDays })]),
    ...lookAlikes,
    ...largest,
    ...newValues(asked.values, approved)
      .filter(({ field }) => !marked.has(field))
      .slice(0, mostOfOneKind),
    ...recentDenials(history),
    ...(history.sameOfLate >= fewestRepeats
      ? [warning('repeats', null, { times: history.sameOfLate, minutes: repeatMinutes })]
      : []),
    ...lastApproved(history),
  ];
}

const warning = (kind: Cue['kind'], field: string | null, params: Cue['params']): Cue => ({
  kind,
  level: 'warn',
  field,
  params,
});

/** Numbers that a condition limits from above, and that are larger than in every approved request. */
function largestOf({ values, conditions }: Asked, approved: readonly (Leaves | null)[]): Cue[] {
  const fields = new Set(
    conditions
      .filter(({ operator }) => operator !== 'gt' && operator !== 'gte')
      .flatMap(({ field }) => pointerOf(field)),
  );
  return [...fields].flatMap((field) => {
    const value = numberAt(values, field);
    const before = approved.flatMap((leaves) => numberAt(leaves, field) ?? []);
    const max = Math.max(...before);
    return value === null || before.length < fewestAlike || value <= max
      ? []
      : [warning('largest', field, { value, max, approvals: before.length })];
  });
}

const numberAt = (values: Leaves | null, field: string): number | null => {
  const leaf = values?.get(field);
  return leaf !== undefined && !leaf.masked && typeof leaf.value === 'number' ? leaf.value : null;
};

/** The pointer of a condition's path into metadata; none for other facts and for the expression. */
function pointerOf(field: string): string[] {
  const [first = '', ...rest] = field.split('.');
  if (['data_accessed', 'agent', 'time'].includes(first) && rest.length > 0) return [];
  const steps = first === 'metadata' && rest.length > 0 ? rest : [first, ...rest];
  return [steps.reduce(pointerTo, '/metadata')];
}

/** Fields that had one value in the last approvals and have another one now. */
function newValues(values: Leaves | null, approved: readonly (Leaves | null)[]): Cue[] {
  const last = approved.slice(0, lastApprovals).filter((leaves) => leaves !== null);
  return [...(values ?? [])].flatMap(([field, leaf]) => {
    const before = last.flatMap((leaves) => leaves.get(field) ?? []);
    const [first] = before;
    if (first === undefined || before.length < fewestAlike || first.json === leaf.json) return [];
    if (before.some(({ json }) => json !== first.json)) return [];
    const hidden = leaf.masked || first.masked;
    return [
      warning('new_value', field, {
        ...(hidden ? {} : { was: shortened(first.value) }),
        times: before.length,
      }),
    ];
  });
}

/** Texts with a word of two scripts, and texts that look like an approved one and are another. */
function looksLike(values: Leaves | null, approved: readonly (Leaves | null)[]): Cue[] {
  const cues = [...(values ?? [])].flatMap(([field, { value, masked }]) => {
    if (masked || typeof value !== 'string' || value.length > longestCompared) return [];
    const skeleton = skeletonOf(value);
    const like = approved
      .flatMap((leaves) => leaves?.get(field) ?? [])
      .map((leaf) => (leaf.masked ? null : leaf.value))
      .filter((before) => typeof before === 'string');
    // What was approved in exactly this form is not remarkable any more.
    if (like.includes(value)) return [];
    const same = like.find((before) => skeletonOf(before) === skeleton);
    if (same !== undefined)
      return [warning('looks_like', field, { like: same, mixed_scripts: mixesScripts(value) })];
    return mixesScripts(value) ? [warning('looks_like', field, { like: null, mixed_scripts: true })] : [];
  });
  return cues.slice(0, mostOfOneKind);
}

function recentDenials({ ended }: AskHistory): Cue[] {
  const last = ended.slice(0, recent);
  const denied = last.filter(({ status, byPerson }) => status === 'denied' && byPerson).length;
  return denied >= fewestDenials ? [warning('recent_denials', null, { denied, of: last.length })] : [];
}

/** How many requests in a row people approved, up to this one. */
function lastApproved({ ended }: AskHistory): Cue[] {
  const last = ended.slice(0, lastApprovals);
  const other = last.findIndex(({ status, byPerson }) => status !== 'approved' || !byPerson);
  const count = other < 0 ? last.length : other;
  return count < recent ? [] : [{ kind: 'last_approved', level: 'calm', field: null, params: { count } }];
}

/** A value within a sentence. */
function shortened(value: unknown): string | number | boolean | null {
  if (typeof value === 'string') return value.slice(0, longestCompared);
  return typeof value === 'number' || typeof value === 'boolean' ? value : null;
}
