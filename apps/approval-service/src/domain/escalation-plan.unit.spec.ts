import type { EscalationStep } from '@agentlattice/contracts';
import { fold } from '@agentlattice/decider';
import fc from 'fast-check';
import {
  at,
  cancelled,
  deadline,
  given,
  subject,
  timedOut,
  timeout_at,
  wasApproved,
  wasOpened,
} from '../../test/approval-scenario.js';
import type { ApprovalEvent } from './approval.js';
import { approvalDecider } from './approval-decider.js';
import { nextEscalationAt } from './escalation-plan.js';

const minutes = (n: number) => n * 60_000;
const step = (after: string, repeat: EscalationStep['repeat'] = null): EscalationStep => ({
  after,
  contacts: ['oncall@example.com'],
  channels: [],
  repeat,
});
const steps = [step('10m', { every: '5m', times: 3 }), step('20m')];
const [first, second] = steps;
const wasMade = wasOpened({ escalation: steps });
const escalate = (now: Date) => ({ type: 'Escalate', now }) as const;
const sent = (level: number, repetition: number, given: EscalationStep | undefined): ApprovalEvent => ({
  type: 'approval.escalated',
  data: { ...subject, level, repetition, step: given ?? step('1m'), timeout_at },
});
const nextAfter = (...history: ApprovalEvent[]) => nextEscalationAt(fold(approvalDecider, history));

describe('escalation', () => {
  it('sends each step and repetition once, at its time', () => {
    given(wasMade)
      .when(escalate(at(minutes(10) - 1)))
      .thenNothing();
    given(wasMade)
      .when(escalate(at(minutes(10))))
      .thenEvents(sent(1, 0, first));
    given(wasMade, sent(1, 0, first))
      .when(escalate(at(minutes(10))))
      .thenNothing();
    given(wasMade, sent(1, 0, first))
      .when(escalate(at(minutes(15))))
      .thenEvents(sent(1, 1, first));
    given(wasMade, sent(1, 0, first), sent(1, 1, first))
      .when(escalate(at(minutes(20))))
      .thenEvents(sent(1, 2, first), sent(2, 0, second));
  });

  it('sends only the last of several missed repetitions of a step', () => {
    given(wasMade)
      .when(escalate(at(minutes(59))))
      .thenEvents(sent(1, 0, first), sent(2, 0, second), sent(1, 3, first));
    given(wasMade, sent(1, 0, first), sent(1, 3, first), sent(2, 0, second))
      .when(escalate(at(minutes(59))))
      .thenNothing();
  });

  it('sends nothing once the request has ended or its deadline is reached', () => {
    for (const end of [wasApproved([]), cancelled, timedOut])
      given(wasMade, end)
        .when(escalate(at(minutes(30))))
        .thenNothing();
    given(wasMade).when(escalate(deadline)).thenNothing();
    given().when(escalate(deadline)).thenNothing();
  });

  it('gives the time of the next step', () => {
    expect(nextAfter(wasMade)).toEqual(at(minutes(10)));
    expect(nextAfter(wasMade, sent(1, 0, first))).toEqual(at(minutes(15)));
    expect(nextAfter(wasMade, sent(1, 0, first), sent(1, 3, first))).toEqual(at(minutes(20)));
    expect(nextAfter(wasMade, sent(1, 3, first), sent(2, 0, second))).toBeNull();
    expect(
      nextAfter(wasOpened({ escalation: [step('30m', { every: '29m', times: 9 })] }), cancelled),
    ).toBeNull();
    const beyond = wasOpened({ escalation: [step('55m', { every: '10m', times: 1 })] });
    expect(nextAfter(beyond, sent(1, 0, first))).toBeNull();
    expect(nextAfter()).toBeNull();
  });

  it('sends every step once and no repetition twice, at any times of the timers', () => {
    fc.assert(
      fc.property(fc.array(fc.nat({ max: minutes(70) }), { maxLength: 30 }), (times) => {
        const history = [wasMade];
        for (const ms of times.sort((a, b) => a - b))
          history.push(...approvalDecider.decide(escalate(at(ms)), fold(approvalDecider, history)));
        const sendings = history.flatMap((event) =>
          event.type === 'approval.escalated'
            ? [`${String(event.data.level)}.${String(event.data.repetition)}`]
            : [],
        );
        expect(new Set(sendings).size).toBe(sendings.length);
        const last = times.findLast((ms) => at(ms) < deadline) ?? 0;
        for (const [i, name] of ['1.0', '2.0'].entries())
          expect(sendings.includes(name)).toBe(last >= minutes(10 * (i + 1)));
      }),
    );
  });
});
