import { BaseChatModel } from '@langchain/core/language_models/chat_models';
import { AIMessage, ToolMessage } from 'langchain';

/** Asks for its calls at once; once they have answers, repeats them as text. */
export class Scripted extends BaseChatModel {
  constructor(calls) {
    super({});
    this.calls = calls;
  }
  _llmType() {
    return 'scripted';
  }
  bindTools() {
    return this;
  }
  async _generate(messages) {
    const answers = messages.filter((message) => ToolMessage.isInstance(message));
    const message =
      answers.length === 0
        ? new AIMessage({ content: '', tool_calls: this.calls })
        : new AIMessage(answers.map(({ content }) => content).join(' | '));
    return { generations: [{ text: message.text, message }] };
  }
}
export const callOf = (order, name = 'refund') => ({
  ...{ name, args: { order }, id: `call-${order}`, type: 'tool_call' },
});

/** For the program of docs/clients/langchain.md. */
export const documented = new Scripted([callOf('19')]);
