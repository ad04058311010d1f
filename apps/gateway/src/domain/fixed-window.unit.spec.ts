import { FixedWindow } from './fixed-window.js';

describe('a fixed window', () => {
  it('allows so many a window, which begins with the first', () => {
    const window = new FixedWindow(2, 1_000);
    expect(window.take('a', 100)).toEqual({ allowed: true, remaining: 1, resetMs: 1_000 });
    expect(window.take('a', 600)).toEqual({ allowed: true, remaining: 0, resetMs: 500 });
    expect(window.take('a', 1_099)).toEqual({ allowed: false, remaining: 0, resetMs: 1 });
    expect(window.take('a', 1_100)).toEqual({ allowed: true, remaining: 1, resetMs: 1_000 });
  });

  it('counts each taker by itself, also when others begin and end', () => {
    const window = new FixedWindow(1, 1_000);
    expect(window.take('a', 0).allowed).toBe(true);
    expect(window.take('b', 500).allowed).toBe(true);
    expect(window.take('c', 1_200).allowed).toBe(true);
    expect(window.take('b', 1_300).allowed).toBe(false);
    expect(window.take('a', 1_300).allowed).toBe(true);
  });
});
