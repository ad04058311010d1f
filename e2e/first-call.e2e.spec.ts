import { eventually, startStack, type Stack } from '@agentlattice/testkit';
import { adminOf, agentOf } from './kit/api.js';

describe('a system that has just started', () => {
  let stack: Stack;
  beforeAll(async () => (stack = await startStack()));
  afterAll(() => stack.stop());

  it('takes the keys of its credentials file as soon as it says that it is ready', async () => {
    const starting = stack.startServices();
    // As a program outside does, which sees /readyz and the file.
    await eventually(
      async () => (await fetch(`${stack.baseUrl}/readyz`).catch(() => undefined))?.status === 200,
      { within: 60_000, every: 5 },
    );
    const answers = await Promise.all(
      [adminOf(stack), agentOf(stack)].map((api) => api.get('/api/v1/whoami')),
    );
    expect(answers.map(({ status }) => status)).toEqual([200, 200]);
    await starting;
  });
});
