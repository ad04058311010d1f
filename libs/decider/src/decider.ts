/** Three pure functions: what a command does, what an event changes, and the first state. Time and identity come in with the command. */
export interface Decider<State, Command, Event> {
  /** Decides a command; an empty list means that there is nothing to do. Throws `Refused` when a rule forbids it. */
  decide(command: Command, state: State): readonly Event[];
  /** Applies an event: never refuses, never reads a clock. */
  evolve(state: State, event: Event): State;
  initialState(): State;
}

/** The half of a decider that rebuilds a state from its history. */
export type Evolution<State, Event> = Pick<Decider<State, never, Event>, 'evolve' | 'initialState'>;
