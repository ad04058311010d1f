import { BodyBudget, memoryOf } from './body-budget.js';

describe('the budget of bodies', () => {
  it('counts what a body becomes when it is parsed', () => {
    const of = (text: string) => memoryOf(Buffer.from(text));
    expect(of('')).toBe(0);
    expect(of('{"a":"xxxxxxxx"}')).toBe(3 * 16 + 80);
    expect(of(`[${'{},'.repeat(80_000)}{}]`)).toBeGreaterThan(10 * 1024 * 1024);
  });

  it('refuses with 503 what would go beyond it, until something is answered', () => {
    const budget = new BodyBudget(100);
    budget.take(60);
    budget.take(40);
    expect(() => budget.take(1)).toThrow(expect.objectContaining({ code: 'UNAVAILABLE' }));
    budget.giveBack(60);
    budget.take(60);
    expect(() => budget.take(1)).toThrow(expect.objectContaining({ code: 'UNAVAILABLE' }));
  });
});
