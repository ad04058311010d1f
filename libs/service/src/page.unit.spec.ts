import { page, readCursor } from './page.js';

describe('a page of a list', () => {
  it('ends at the limit and names the beginning of the next page', () => {
    const { items, next_cursor } = page(['a', 'b', 'c'], 2, (item) => item);
    expect(items).toEqual(['a', 'b']);
    expect(readCursor(next_cursor, /^[a-z]$/)).toBe('b');
    expect(page(['c'], 2, (item) => item).next_cursor).toBeNull();
  });

  it('ends earlier when its items are large, after at least one', () => {
    const large = 'x'.repeat(300 * 1024);
    expect(page([large, large, large], 3, () => 'next').items).toHaveLength(1);
    expect(page([large + large], 3, () => 'next').items).toHaveLength(1);
  });

  it('refuses a foreign cursor', () =>
    expect(() => readCursor('..', /^[a-z]$/)).toThrow(
      expect.objectContaining({ code: 'VALIDATION_FAILED' }),
    ));
});
