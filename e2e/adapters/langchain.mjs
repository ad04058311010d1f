// LangChain with a scripted model, one thread per scenario.
import { approvals } from '@agentlattice/adapters/langchain';
import { Command, MemorySaver } from '@langchain/langgraph';
import { createAgent, tool } from 'langchain';
import { agent, decide, guide, nowhere, refund, report } from './kit.mjs';
import { callOf, Scripted } from './langchain.model.mjs';

const schema = { type: 'object', properties: { order: { type: 'string' } }, required: ['order'] };
const plain = ['refund', 'lookup', 'drop', 'brief'].map((name) =>
  tool(refund, { name, description: name, schema }),
);
const pause = { pause: true };

/** An agent with one thread. `run` starts it, or goes on from where it paused. */
function thread(order, { al = agent(), name = 'refund', orders = [order], checkpointer, ...options } = {}) {
  const calls = orders.map((each) => callOf(each, name));
  const bot = createAgent({
    ...{ model: new Scripted(calls), tools: plain, middleware: [approvals(al, options)] },
    checkpointer: checkpointer ?? new MemorySaver(),
  });
  const config = { configurable: { thread_id: order } };
  const run = async (input, at = config) => {
    const { messages, __interrupt__: interrupts = [] } = await bot.invoke(input, at);
    return { text: messages.at(-1).text, interrupts };
  };
  return {
    start: () => run({ messages: [{ role: 'user', content: `refund ${order}` }] }),
    /** Every interrupt gets the same answer. */
    resume: (interrupts, answer, at) =>
      run(new Command({ resume: Object.fromEntries(interrupts.map(({ id }) => [id, answer])) }), at),
    state: () => bot.getState(config),
  };
}
const approve = { decisions: [{ type: 'approve' }] };

async function decided(order, how, reason) {
  const { start, resume, state } = thread(order, pause);
  const { interrupts } = await start();
  const { config } = await state();
  const id = await decide(order, how, reason);
  if (interrupts.length !== 1 || interrupts[0].value.approval_id !== id) throw new Error('did not pause');
  return { ...(await resume(interrupts, approve)), again: () => resume(interrupts, approve, config) };
}
const run = async (order, options) => (await thread(order, options).start()).text;

await report({
  guide: () => guide('langchain', '19'),
  approved: async (order) => (await decided(order, 'approve')).text,
  denied: async (order) => (await decided(order, 'deny', 'not this customer')).text,
  // Resumed with an approval before anybody decided, twice: it goes on waiting; then a person decides.
  forged: async (order) => {
    const { start, resume } = thread(order, pause);
    let { interrupts } = await start();
    for (const answer of [approve, true]) ({ interrupts } = await resume(interrupts, answer));
    return `interrupted ${interrupts.length}`;
  },
  forgedThenApproved: async (order) => {
    const { start, resume } = thread(order, pause);
    let { interrupts } = await start();
    ({ interrupts } = await resume(interrupts, approve));
    await decide(order, 'approve');
    return (await resume(interrupts, approve)).text;
  },
  // From the checkpoint before the tool ran.
  replayed: async (order) => (await (await decided(order, 'approve')).again()).text,
  // Two calls wait at once; one is denied.
  parallel: async (order) => {
    const orders = [order, `${order}-second`];
    const { start, resume } = thread(order, { ...pause, orders });
    const { interrupts } = await start();
    await decide(orders[1], 'deny', 'one is enough');
    await decide(orders[0], 'approve');
    return (await resume(interrupts, approve)).text;
  },
  waits: async (order) => {
    const [text] = await Promise.all([run(order), decide(order, 'approve')]);
    return text;
  },
  late: (order) => run(order, { name: 'brief' }),
  unreachable: (order) => run(order, { al: nowhere() }),
  unreachablePaused: (order) => run(order, { al: nowhere(), ...pause }),
  allowed: (order) => run(order, { name: 'lookup', ...pause }),
  forbidden: (order) => run(order, { name: 'drop', ...pause }),
});
