// What the programs of this folder share: the tool that must not run without a gate, and the person who decides.
import { AgentLattice } from '@agentlattice/sdk';

const operator = new AgentLattice({ apiKey: process.env.OPERATOR_KEY });

export const agent = () => new AgentLattice();
/** A system that nobody can reach. */
export const nowhere = () => new AgentLattice({ baseUrl: process.env.DEAD_URL, retryForMs: 0 });

/** How often the tool ran, by order: each scenario has an order of its own. */
export const ran = {};
export function refund({ order }) {
  ran[order] = (ran[order] ?? 0) + 1;
  return `refunded ${order}`;
}

/** Decides the request about an order, as soon as there is one. @returns its id */
export async function decide(order, how, reason) {
  for (;;) {
    const found = await operator.listPendingApprovals();
    const request = found.find(({ metadata }) => metadata.arguments?.order === order);
    if (request === undefined) await new Promise((resolve) => setTimeout(resolve, 50));
    else {
      await operator[how === 'approve' ? 'approveAction' : 'denyAction'](request.id, { reason });
      return request.id;
    }
  }
}

/** Runs the program of a guide, whose request about an order a person approves. @returns what it printed */
export async function guide(page, order) {
  const printed = [];
  const { log } = console;
  console.log = (text) => printed.push(text);
  await Promise.all([import(`./guides/${page}/program.js`), decide(order, 'approve')]);
  console.log = log;
  return printed.join('\n');
}

/** Runs all scenarios at once and prints what each came to, as JSON. */
export async function report(scenarios) {
  const entries = Object.entries(scenarios).map(async ([name, run]) => {
    const order = `${process.env.PREFIX}-${name}`;
    try {
      return [name, { answer: await run(order), ran: ran[order] ?? 0 }];
    } catch (error) {
      return [name, { error: `${error.name}: ${error.message}`, ran: ran[order] ?? 0 }];
    }
  });
  process.stdout.write(JSON.stringify(Object.fromEntries(await Promise.all(entries))));
}
