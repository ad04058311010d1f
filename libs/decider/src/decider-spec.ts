import type { Decider } from './decider.js';
import { fold } from './fold.js';
import { Refused } from './refused.js';
import { sameValue } from './same-value.js';

/** The expected outcome. Each throws an Error that shows expected and actual where they differ. */
export interface Expectation<Event> {
  /** Exactly these events, in this order. */
  thenEvents(...expected: readonly Event[]): void;
  thenNothing(): void;
  /** A refusal with this code, and nothing else. */
  thenRefused(code: string): void;
}

export interface Given<Command, Event> {
  when(command: Command): Expectation<Event>;
}

/** Tests that read like the rule: `given(requested).when(approve).thenRefused('APPROVAL_TIMED_OUT')`. */
export const deciderSpec =
  <State, Command, Event>(decider: Decider<State, Command, Event>) =>
  (...history: readonly Event[]): Given<Command, Event> => ({
    when: (command) => {
      const judge = () => decider.decide(command, fold(decider, history));
      return {
        thenEvents: (...expected) => expectSame(judge(), expected),
        thenNothing: () => expectSame(judge(), []),
        thenRefused: (code) => expectRefusal(judge, code),
      };
    },
  });

function expectSame(decided: readonly unknown[], expected: readonly unknown[]): void {
  if (!sameValue(decided, expected))
    throw new Error(`expected ${show(expected)}\nbut the decider said ${show(decided)}`);
}

function expectRefusal(judge: () => readonly unknown[], code: string): void {
  let decided: readonly unknown[];
  try {
    decided = judge();
  } catch (error) {
    if (error instanceof Refused && error.code === code) return;
    if (error instanceof Refused)
      throw new Error(`expected the refusal ${code}, got ${error.code}`, { cause: error });
    throw error;
  }
  throw new Error(`expected the refusal ${code}, but the decider said ${show(decided)}`);
}

const show = (value: unknown) => JSON.stringify(value, undefined, 2);
