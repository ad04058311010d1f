import { MockLanguageModelV4 } from 'ai/test';

export const usage = {
  inputTokens: { total: 1, noCache: 1, cacheRead: 0, cacheWrite: 0 },
  outputTokens: { total: 1, text: 1, reasoning: 0 },
};
/** Asks for one call; once it has an answer, repeats it as text. */
export function model(order, toolName = 'refund') {
  return new MockLanguageModelV4({
    doGenerate: async ({ prompt }) => {
      const last = prompt.at(-1);
      if (last.role === 'tool') {
        const { output } = last.content.findLast(({ type }) => type === 'tool-result');
        const text = output.value ?? output.reason ?? output.type;
        return { content: [{ type: 'text', text }], finishReason: { unified: 'stop' }, usage, warnings: [] };
      }
      const call = {
        type: 'tool-call',
        toolCallId: `call-${order}`,
        toolName,
        input: JSON.stringify({ order }),
      };
      return { content: [call], finishReason: { unified: 'tool-calls' }, usage, warnings: [] };
    },
  });
}

/** For the program of docs/clients/ai-sdk.md. */
export const documented = model('17');
