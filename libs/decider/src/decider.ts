/** Three pure functions: what may happen, what a fact changes, and where it starts. Time and identity come in with the command. */
export interface Decider<State, Command, Event> {
  /** Decides a command; an empty list means that there is nothing to do. Throws `Refused` when a rule forbids it. */
  decide(command: Command, state: State): readonly Event[];
  /** Applies a fact: never refuses, never looks at a clock. */
  evolve(state: State, event: Event): State;
  initialState(): State;
}

/** The half of a decider that rebuilds a state from its history. */
export type Evolution<State, Event> = Pick<Decider<State, never, Event>, 'evolve' | 'initialState'>;
