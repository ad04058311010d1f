import type { Route } from '@agentlattice/contracts';
import type { z } from 'zod';
import type { Api } from '../api.js';
import type { Identity } from '../identity.js';

/** What a person answered in a form of the client. */
export interface PersonsAnswer {
  readonly action: 'accept' | 'decline' | 'cancel';
  readonly reason: string | undefined;
}

export interface ToolContext {
  readonly api: Api;
  /** Read anew for every call of it. */
  readonly identity: () => Promise<Identity>;
  /** Where people read a request. */
  readonly linkOf: (approvalId: string) => string;
  /** A mark for untrusted text, drawn anew at every call. */
  readonly newMark: () => string;
  /** Shows the person a form; undefined where the client offers none. */
  readonly askPerson:
    | ((question: string, proposedReason: string | undefined, withinMs: number) => Promise<PersonsAnswer>)
    | undefined;
  /** Tells the client, where it wants to know, that the call goes on. */
  readonly progress: ((message: string) => Promise<void>) | undefined;
  /** Aborted when the client cancels the call or disconnects. */
  readonly signal: AbortSignal;
}

export interface Reply<Output> {
  readonly text: string;
  readonly structured: Output;
}

export interface ToolDefinition<Input extends z.ZodObject, Output extends z.ZodObject> {
  readonly name: string;
  readonly title: string;
  readonly description: string;
  readonly input: Input;
  readonly output: Output;
  /** Hints to the client (MCP): it may show them, and ask the person because of them. */
  readonly annotations: {
    readonly readOnlyHint: boolean;
    readonly destructiveHint: boolean;
    readonly idempotentHint: boolean;
    readonly openWorldHint: boolean;
  };
  /** The routes that it calls first: it is offered to keys that may call one of them. */
  readonly routes: readonly Route[];
  /** Only to keys of agents, although operators may call the route as well. */
  readonly forAgents?: true;
  readonly run: (input: z.output<Input>, context: ToolContext) => Promise<Reply<z.input<Output>>>;
}

/** A tool whose input is checked before it runs, and whose answer is checked before it leaves. */
export interface Tool extends Omit<ToolDefinition<z.ZodObject, z.ZodObject>, 'run'> {
  /** @throws ZodError for arguments that do not fit */
  readonly call: (args: unknown, context: ToolContext) => Promise<Reply<Record<string, unknown>>>;
}

export function tool<Input extends z.ZodObject, Output extends z.ZodObject>({
  run,
  ...rest
}: ToolDefinition<Input, Output>): Tool {
  return {
    ...rest,
    call: async (args, context) => {
      const { text, structured } = await run(rest.input.parse(args), context);
      return { text, structured: rest.output.parse(structured) };
    },
  };
}

/** It only reads: nothing changes, nobody is told. */
export const readingHints = {
  readOnlyHint: true,
  destructiveHint: false,
  idempotentHint: true,
  openWorldHint: false,
} as const;
