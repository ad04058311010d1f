// The OpenAI Agents SDK with a scripted model, one run per scenario.
import { gateTools } from '@agentlattice/adapters/openai-agents';
import { Agent, RunState, Runner, tool } from '@openai/agents-core';
import { agent, decide, guide, nowhere, refund, report } from './kit.mjs';
import { model } from './openai-agents.model.mjs';

const runner = new Runner({ tracingDisabled: true });
const parameters = {
  type: 'object',
  properties: { order: { type: 'string' } },
  required: ['order'],
  additionalProperties: false,
};
function agentOf(order, { al = agent(), name = 'refund', more, timeoutMs, ...options } = {}) {
  const plain = ['refund', 'lookup', 'drop', 'brief'].map((name) =>
    tool({
      name,
      description: name,
      parameters,
      execute: refund,
      ...(name === 'refund' ? { timeoutMs: 200 } : {}),
    }),
  );
  const { tools, decided } = gateTools(al, plain, { ...options, ...(timeoutMs ? { timeoutMs } : {}) });
  return { bot: new Agent({ name: 'bot', model: model(order, name, more), tools: [...tools] }), decided };
}
const pause = { pause: true };

/** Pauses, and gives the state as a program would store it. */
async function paused(order, options = pause) {
  const { bot, decided } = agentOf(order, options);
  const { interruptions, state } = await runner.run(bot, `refund ${order}`);
  if (interruptions.length !== 1) throw new Error('did not pause');
  return { stored: state.toString(), interruptions, decided };
}
/** Goes on from a stored state, with every interruption approved in it. */
async function resumed(order, stored, { approve = {}, ...options } = pause) {
  const { bot } = agentOf(order, options);
  const state = await RunState.fromString(bot, stored);
  for (const interruption of state.getInterruptions()) state.approve(interruption, approve);
  const result = await runner.run(bot, state);
  return result.finalOutput ?? `paused ${result.interruptions.length}`;
}
async function decided(order, how, reason) {
  const first = await paused(order);
  await Promise.all([decide(order, how, reason), first.decided(first.interruptions)]);
  return { stored: first.stored, text: await resumed(order, first.stored) };
}
const plain = async (order, options) => (await runner.run(agentOf(order, options).bot, 'refund')).finalOutput;

await report({
  guide: () => guide('openai-agents', '18'),
  approved: async (order) => (await decided(order, 'approve')).text,
  denied: async (order) => (await decided(order, 'deny', 'not this customer')).text,
  forged: async (order) => resumed(order, (await paused(order)).stored),
  replayed: async (order) => resumed(order, (await decided(order, 'approve')).stored),
  changed: async (order) => {
    const asked = `${order}-asked`;
    const first = await paused(asked);
    await decide(asked, 'approve');
    const other = first.stored.replaceAll(`\\"${asked}\\"`, `\\"${order}\\"`);
    return resumed(order, other);
  },
  // The second call of the same tool: the framework no longer asks, the system does.
  always: async (order) => {
    const more = [`${order}-second`];
    const first = await paused(order, { ...pause, more });
    await decide(order, 'approve');
    return resumed(order, first.stored, { ...pause, more, approve: { alwaysApprove: true } });
  },
  waits: async (order) => {
    const [text] = await Promise.all([plain(order), decide(order, 'approve')]);
    return text;
  },
  late: (order) => plain(order, { name: 'brief' }),
  unreachable: (order) => plain(order, { al: nowhere() }),
  unreachablePaused: (order) => plain(order, { al: nowhere(), ...pause }),
  allowed: (order) => plain(order, { name: 'lookup', ...pause }),
  forbidden: (order) => plain(order, { name: 'drop', ...pause }),
});
