import { jest } from '@jest/globals';
import { hedged } from './hedged-request.js';
import { HedgingBudget } from './hedging-budget.js';

describe('a command that is sent again', () => {
  beforeEach(() => void jest.useFakeTimers());
  afterEach(() => void jest.useRealTimers());

  /** A command of two seconds; the test answers each of its requests. */
  function ask(budget = new HedgingBudget(0.2)) {
    const sent: { timeoutMs: number; resolve: (answer: string) => void; reject: (error: Error) => void }[] =
      [];
    const send = (timeoutMs: number) => {
      const { promise, resolve, reject } = Promise.withResolvers<string>();
      sent.push({ timeoutMs, resolve, reject });
      return promise;
    };
    return { sent, answer: hedged(send, 2_000, budget) };
  }

  it('is sent once when it is answered soon', async () => {
    const { sent, answer } = ask();
    await jest.advanceTimersByTimeAsync(499);
    sent[0]?.resolve('first');
    expect(await answer).toBe('first');
    await jest.advanceTimersByTimeAsync(5_000);
    expect(sent).toHaveLength(1);
  });

  it('is sent up to three times more, each with the time that is left, and the first answer counts', async () => {
    const { sent, answer } = ask();
    await jest.advanceTimersByTimeAsync(1_999);
    expect(sent.map(({ timeoutMs }) => timeoutMs)).toEqual([2_000, 1_500, 1_000, 500]);
    sent[2]?.resolve('third');
    expect(await answer).toBe('third');
    for (const { reject } of sent) reject(new Error('timeout'));
  });

  it('waits for the others when one fails', async () => {
    const { sent, answer } = ask();
    await jest.advanceTimersByTimeAsync(500);
    sent[1]?.reject(new Error('second failed'));
    sent[0]?.resolve('first');
    expect(await answer).toBe('first');
  });

  it('is not sent again when nobody takes it', async () => {
    const { sent, answer } = ask();
    sent[0]?.reject(new Error('no responders'));
    await expect(answer).rejects.toThrow('no responders');
    await jest.advanceTimersByTimeAsync(5_000);
    expect(sent).toHaveLength(1);
  });

  it('fails with the first error when none is answered', async () => {
    const { sent, answer } = ask();
    await jest.advanceTimersByTimeAsync(500);
    sent[1]?.reject(new Error('second failed'));
    sent[0]?.reject(new Error('first failed'));
    await expect(answer).rejects.toThrow('second failed');
  });

  it('is sent again 100 times, and then once for five answers', async () => {
    const budget = new HedgingBudget(0.2);
    /** @returns how often a command was sent that no replica answers */
    const unanswered = async () => {
      const { sent, answer } = ask(budget);
      await jest.advanceTimersByTimeAsync(1_999);
      for (const { reject } of sent) reject(new Error('timeout'));
      await expect(answer).rejects.toThrow('timeout');
      return sent.length;
    };
    let times = 0;
    for (let n = 0; n < 40; n++) times += await unanswered();
    expect(times).toBe(140);
    for (let n = 0; n < 11; n++) await hedged(() => Promise.resolve('answer'), 2_000, budget);
    expect(await unanswered()).toBe(3);
    expect(await unanswered()).toBe(1);
  });
});
