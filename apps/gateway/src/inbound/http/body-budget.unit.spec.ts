import { scanJson } from '../../domain/json-scan.js';
import { BodyBudget, memoryOf } from './body-budget.js';

describe('the budget of bodies', () => {
  it('counts the memory of a parsed body', () => {
    const of = (text: string) => memoryOf(Buffer.byteLength(text), scanJson(Buffer.from(text)));
    expect(of('')).toBe(0);
    expect(of('{"a":"xxxxxxxx"}')).toBe(3 * 16 + 80);
    expect(of(`[${'{},'.repeat(80_000)}{}]`)).toBeGreaterThan(10 * 1024 * 1024);
  });

  it('refuses a body beyond it with 503, until another request is answered', () => {
    const budget = new BodyBudget(100);
    for (const workspace of ['a', 'b', 'c', 'd']) budget.take(25, workspace);
    const full = expect.objectContaining({
      code: 'UNAVAILABLE',
      detail: 'too many large requests are under way',
    });
    expect(() => budget.take(1, 'e')).toThrow(full);
    budget.giveBack(25, 'a');
    budget.take(20, 'e');
    expect(() => budget.take(6, 'f')).toThrow(full);
  });

  it('leaves room for other workspaces, however much one workspace sends', () => {
    const budget = new BodyBudget(100);
    budget.take(20, 'a');
    expect(() => budget.take(6, 'a')).toThrow(expect.objectContaining({ code: 'UNAVAILABLE' }));
    budget.take(25, 'b');
    budget.giveBack(20, 'a');
    budget.take(25, 'a');
  });
});
