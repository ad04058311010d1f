import type { Evolution } from './decider.js';

/** The state that a history leads to, starting at `from` (default: the initial state). */
export const fold = <State, Event>(
  { evolve, initialState }: Evolution<State, Event>,
  events: readonly Event[],
  from: State = initialState(),
): State => events.reduce((state, event) => evolve(state, event), from);
