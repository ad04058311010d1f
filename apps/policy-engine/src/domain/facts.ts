import type { ActingUnder, AgentRef } from '@agentlattice/contracts';
import { type Fuel, spend, textCost } from './fuel.js';

/** The agent as it stood at submission; null when an operator asks in a dry run. */
export type ActingAgent = AgentRef & {
  /** It is, or an agent that it acts for. */
  suspended: boolean;
  owner_member_id: string | null;
  /** Missing or null: it acts for no other agent. */
  delegation?: ActingUnder | null | undefined;
};

export interface Action {
  readonly action_type: string;
  /** RFC 8785 texts, as the gateway made them. */
  readonly metadata: string;
  readonly data_accessed: string;
  readonly agent: ActingAgent | null;
  /** The delegation that the submission names. */
  readonly delegation_id: string | null;
}

export interface TimeFacts {
  readonly hour: number;
  readonly minute: number;
  /** 0 is Sunday, as in CEL and in cron. */
  readonly weekday: number;
  readonly day: number;
  readonly month: number;
  readonly year: number;
  readonly iso: string;
}

/** The values that conditions can use. The texts are parsed once, when a condition first needs them. */
export interface Facts {
  readonly action_type: string;
  readonly agent: {
    readonly id: string;
    readonly name: string;
    readonly owner_member_id: string | null;
  } | null;
  readonly time: TimeFacts;
  /** Undefined when the text is not JSON or too expensive to read: then no condition on it holds. */
  metadata(fuel: Fuel): unknown;
  dataAccessed(fuel: Fuel): unknown;
}

/** @param now epoch milliseconds of the judgement; all of `time` is UTC */
export function factsOf(action: Action, now: number): Facts {
  const { agent } = action;
  return {
    action_type: action.action_type,
    agent: agent === null ? null : { id: agent.id, name: agent.name, owner_member_id: agent.owner_member_id },
    time: timeFacts(now),
    metadata: parsedOnce(action.metadata),
    dataAccessed: parsedOnce(action.data_accessed),
  };
}

function timeFacts(now: number): TimeFacts {
  const at = new Date(now);
  return {
    hour: at.getUTCHours(),
    minute: at.getUTCMinutes(),
    weekday: at.getUTCDay(),
    day: at.getUTCDate(),
    month: at.getUTCMonth() + 1,
    year: at.getUTCFullYear(),
    iso: at.toISOString(),
  };
}

function parsedOnce(text: string): (fuel: Fuel) => unknown {
  let parsed: { value: unknown } | undefined;
  return (fuel) => (parsed ??= { value: spend(fuel, 2 * textCost(text)) ? parse(text) : undefined }).value;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
