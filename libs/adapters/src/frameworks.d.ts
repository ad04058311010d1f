// What is used of the frameworks, for checking the types here without installing them. `npm run check:published` checks the
// sources of this folder and the programs of the guides with the frameworks' own types.
declare module '@langchain/langgraph' {
  export function interrupt(value: unknown): unknown;
}
declare module 'langchain' {
  export class ToolMessage {
    constructor(fields: { content: string; tool_call_id: string; name: string; status: 'error' });
    readonly content: unknown;
  }
  interface ToolCallRequest {
    readonly toolCall: {
      readonly id?: string;
      readonly name: string;
      readonly args: Readonly<Record<string, unknown>>;
    };
    readonly runtime: {
      readonly configurable?: Readonly<Record<string, unknown>>;
      readonly signal?: AbortSignal;
    };
  }
  type Handler = (request: ToolCallRequest) => ToolMessage | Promise<ToolMessage>;
  export function createMiddleware(config: {
    readonly name: string;
    readonly wrapToolCall: (request: ToolCallRequest, handler: Handler) => ToolMessage | Promise<ToolMessage>;
  }): object;
}
