import { SignInGate } from './sign-in-gate.js';

it('two calls are under way at once, a bounded number waits, and the others get 503', async () => {
  const gate = new SignInGate(3);
  const ends: (() => void)[] = [];
  let under = 0;
  let most = 0;
  const call = (name: number) =>
    gate.pass(async () => {
      most = Math.max(most, ++under);
      await new Promise<void>((resolve) => ends.push(resolve));
      under--;
      return name;
    });
  const calls = [1, 2, 3, 4, 5, 6].map(call);
  await expect(calls[5]).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  const first = calls.slice(0, 5);
  const settled = Promise.all(first);
  let isDone = false;
  void settled.then(() => (isDone = true));
  while (!isDone) {
    ends.shift()?.();
    await new Promise((resolve) => setImmediate(resolve));
  }
  expect(await settled).toEqual([1, 2, 3, 4, 5]);
  expect(most).toBe(2);
});

it('a failure is that of its call alone', async () => {
  const gate = new SignInGate();
  await expect(gate.pass(() => Promise.reject(new Error('wrong')))).rejects.toThrow('wrong');
  expect(await gate.pass(() => Promise.resolve(1))).toBe(1);
});
