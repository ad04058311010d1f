import { durationMs, type EscalationState, type EscalationStep } from '@agentlattice/contracts';
import { isOpen, type Approval, type ApprovalEvent, type KnownApproval } from './approval.js';

interface Due {
  readonly level: number;
  readonly repetition: number;
  readonly at: number;
}

/** When the next step or repetition is due, which may be past; null when none is left before the deadline. */
export const nextEscalationAt = (state: Approval): Date | null => {
  const next = nextDue(state);
  return next === null ? null : new Date(next.at);
};

/** The next step or repetition, and whom it tells. */
export function nextEscalation(state: Approval): Pick<EscalationState, 'next_at' | 'next'> {
  const due = nextDue(state);
  const step = due === null || state.status === 'none' ? undefined : state.terms.escalation[due.level - 1];
  return due === null || step === undefined
    ? { next_at: null, next: null }
    : { next_at: new Date(due.at).toISOString(), next: targetsOf(due.level, step) };
}

export const targetsOf = (level: number, { contacts, channels }: EscalationStep) => ({
  level,
  contacts,
  channels,
});

function nextDue(state: Approval): Due | null {
  if (state.status === 'none' || !isOpen(state)) return null;
  return unsentSteps(state).reduce<Due | null>(
    (first, due) => (first === null || due.at < first.at ? due : first),
    null,
  );
}

/** Steps that are due and were not sent. Of several missed repetitions of one step only the last is sent. */
export function decideEscalation(state: KnownApproval, now: Date): readonly ApprovalEvent[] {
  if (!isOpen(state) || now.getTime() >= Date.parse(state.timeoutAt)) return [];
  const due = unsentSteps(state)
    .filter(({ at }) => at <= now.getTime())
    .sort((a, b) => a.at - b.at || a.level - b.level);
  return due
    .filter(
      ({ level, repetition }) =>
        repetition === 0 || !due.some((other) => other.level === level && other.repetition > repetition),
    )
    .flatMap(({ level, repetition }) => escalated(state, level, repetition));
}

/** The first step before its time; its repetitions keep their times. */
export const escalateAtOnce = (state: KnownApproval): readonly ApprovalEvent[] =>
  state.escalated.size > 0 ? [] : escalated(state, 1, 0);

function escalated(state: KnownApproval, level: number, repetition: number): ApprovalEvent[] {
  const { subject, terms, timeoutAt: timeout_at } = state;
  const step = terms.escalation[level - 1];
  if (step === undefined) return [];
  return [{ type: 'approval.escalated', data: { ...subject, level, repetition, step, timeout_at } }];
}

/** Steps and repetitions before the deadline that come after the last one sent of their level. */
function unsentSteps({ terms, requestedAt, timeoutAt, escalated }: KnownApproval): Due[] {
  const begin = Date.parse(requestedAt);
  const end = Date.parse(timeoutAt);
  return terms.escalation.flatMap(({ after, repeat }, i) => {
    const level = i + 1;
    const first = begin + (durationMs(after) ?? Infinity);
    const every = repeat === null ? Infinity : (durationMs(repeat.every) ?? Infinity);
    const from = (escalated.get(level) ?? -1) + 1;
    return Array.from({ length: (repeat?.times ?? 0) + 1 }, (_, repetition) => ({
      level,
      repetition,
      at: repetition === 0 ? first : first + repetition * every,
    })).filter(({ repetition, at }) => repetition >= from && at < end);
  });
}
