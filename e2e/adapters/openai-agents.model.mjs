import { Usage } from '@openai/agents-core';

/** Asks for one call; once it has an answer, repeats it as text. `more`: further calls, one after the other. */
export function model(order, name = 'refund', more = []) {
  const ids = [order, ...more];
  return {
    async getResponse({ input }) {
      const results = Array.isArray(input) ? input.filter(({ type }) => type === 'function_call_result') : [];
      const next = ids[results.length];
      const output =
        next === undefined
          ? {
              ...{ type: 'message', role: 'assistant', status: 'completed' },
              content: [{ type: 'output_text', text: textOf(results.at(-1).output) }],
            }
          : {
              ...{ type: 'function_call', status: 'completed', callId: `call-${next}`, name },
              arguments: JSON.stringify({ order: next }),
            };
      return { usage: new Usage(), output: [output] };
    },
    async *getStreamedResponse() {
      throw new Error('not used');
    },
  };
}
const textOf = (output) => (typeof output === 'string' ? output : output.text);

/** For the program of docs/clients/openai-agents.md. */
export const documented = model('18');
