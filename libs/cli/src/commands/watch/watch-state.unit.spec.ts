import { sampleApproval } from '../../../test/sample-approval.js';
import { noStyle } from '../../render/style.js';
import { displayWidth } from '../../render/columns.js';
import { type Effect, initialWatch, step, type WatchEvent, type WatchState } from './watch-state.js';
import { watchLines } from './watch-view.js';

const ids = ['apr_1', 'apr_2', 'apr_3'];
const request = (id: string, more = {}) => sampleApproval({ id, approval_id: id, can_decide: true, ...more });
const listed = (...some: string[]): WatchEvent => ({
  type: 'listed',
  approvals: some.map((id) => request(id)),
  at: 0,
});
const key = (name: string, at = 0, text = ''): WatchEvent => ({ type: 'key', name, text, at });
const shown = (id: string, more = {}): WatchEvent => ({ type: 'shown', view: request(id, more), at: 0 });

function run(...events: WatchEvent[]): { state: WatchState; effects: Effect[] } {
  let state = initialWatch;
  const effects: Effect[] = [];
  for (const event of events) {
    const next = step(state, event);
    state = next.state;
    if (next.effect !== undefined) effects.push(next.effect);
  }
  return { state, effects };
}
const screen = (state: WatchState, { columns = 80, rows = 20, now = 0 } = {}) =>
  watchLines(state, { columns, rows, now, style: noStyle });

describe('the list', () => {
  it('is walked through with the keys, and stays within it', () => {
    const at = (...names: string[]) => run(listed(...ids), ...names.map((name) => key(name))).state.selected;
    expect(at()).toBe('apr_1');
    expect(at('down', 'j')).toBe('apr_3');
    expect(at('j', 'j', 'j', 'k')).toBe('apr_2');
    expect(at('up')).toBe('apr_1');
    expect(at('G', 'home')).toBe('apr_1');
  });

  it('keeps the selected request when others come and go, and its place when it goes itself', () => {
    expect(run(listed(...ids), key('j'), listed('apr_0', 'apr_2')).state.selected).toBe('apr_2');
    expect(run(listed(...ids), key('j'), listed('apr_1', 'apr_3')).state.selected).toBe('apr_3');
    expect(run(listed(...ids), key('G'), listed('apr_1')).state.selected).toBe('apr_1');
    expect(run(listed(...ids), listed()).state.selected).toBeNull();
  });

  it('counts the time that is left down by the clock of the system', () => {
    const { state } = run(listed('apr_1'));
    expect(screen(state).join('\n')).toContain('25m');
    expect(screen(state, { now: 61_000 }).join('\n')).toContain('23m 59s');
  });

  it('says that the connection is lost, since when, and reads again when it is back', () => {
    const down: WatchEvent = { type: 'connection', isUp: false, at: 1_000 };
    const up: WatchEvent = { type: 'connection', isUp: true, at: 2_000 };
    const lost = run(listed('apr_1'), down, { ...down, at: 9_000 });
    expect(screen(lost.state, { now: 13_000 })[0]).toBe(
      '1 request waits · connection lost 12s ago; this may be old; trying again',
    );
    expect(run(listed('apr_1'), down, up)).toMatchObject({
      state: { lostAt: null },
      effects: [{ type: 'refresh' }],
    });
  });

  it('is current again when it could be read while the connection stands', () => {
    const up: WatchEvent = { type: 'connection', isUp: true, at: 0 };
    const away: WatchEvent = { type: 'unreachable', at: 5_000 };
    expect(run(up, listed('apr_1'), away).state.lostAt).toBe(5_000);
    expect(run(up, listed('apr_1'), away, listed('apr_1')).state.lostAt).toBeNull();
    expect(run(listed('apr_1'), away, listed('apr_1')).state.lostAt).toBe(5_000);
  });

  it('ends with q and Ctrl-C', () => {
    for (const name of ['q', 'escape', 'ctrl+c'])
      expect(run(listed('apr_1'), key(name)).effects).toEqual([{ type: 'quit' }]);
  });
});

describe('a decision', () => {
  const asked = [listed(...ids), key('j'), key('a', 1_000), shown('apr_2')];

  it('is sent after it was confirmed, with the reason', () => {
    const typed = [...'ok!'].map((text) => key(text, 2_000, text));
    expect(run(...asked, ...typed, key('backspace', 2_000), key('return', 2_000)).effects.at(-1)).toEqual({
      type: 'decide',
      id: 'apr_2',
      verdict: 'approve',
      reason: 'ok',
    });
    expect(run(...asked, key('q', 2_000, 'q')).state.page).toMatchObject({ decision: { reason: 'q' } });
  });

  it('is about the request that was shown, whatever comes into the list meanwhile', () => {
    const { effects } = run(...asked, listed('apr_0', 'apr_9'), key('return', 2_000));
    expect(effects.at(-1)).toMatchObject({ type: 'decide', id: 'apr_2' });
  });

  it.each([
    ['before the request was shown', [listed(...ids), key('a'), key('return', 2_000)]],
    ['by keys that came together with the question', [...asked, key('return', 1_200)]],
    ['after it was left', [...asked, key('escape', 2_000), key('return', 2_000)]],
    [
      'of a request that was decided meanwhile',
      [...asked, shown('apr_2', { status: 'denied' }), key('return', 2_000)],
    ],
    [
      'that the person may not take any more',
      [...asked, shown('apr_2', { can_decide: false }), key('return', 2_000)],
    ],
    [
      'of a request that the person may not decide',
      [
        { ...listed(), approvals: [request('apr_1', { can_decide: false })] } as WatchEvent,
        key('a'),
        shown('apr_1', { can_decide: false }),
        key('return', 2_000),
      ],
    ],
    ['of nothing', [listed(), key('a'), key('return', 2_000)]],
  ])('is not sent %s', (_, events) => {
    expect(run(...events).effects.filter(({ type }) => type === 'decide')).toEqual([]);
  });

  it('is sent once, however often it is confirmed', () => {
    const { effects } = run(...asked, key('return', 2_000), key('return', 3_000), key('return', 4_000));
    expect(effects.filter(({ type }) => type === 'decide')).toHaveLength(1);
  });

  it('that failed is said, and the request is read again', () => {
    const { state, effects } = run(...asked, key('return', 2_000), { type: 'failed', text: 'it is so' });
    expect(effects.at(-1)).toEqual({ type: 'show', id: 'apr_2' });
    expect(screen(state).join('\n')).toContain('it is so');
  });
});

describe('the screen', () => {
  it.each([
    [40, 8],
    [80, 20],
    [200, 60],
  ])('fits into %d columns and %d rows', (columns, rows) => {
    const pages = [
      run(listed(...ids)),
      run(listed(...ids), key('return'), shown('apr_1', { metadata: { text: '部署'.repeat(300) } })),
      run(listed(...ids), key('a'), shown('apr_1'), key('x', 2_000, 'x'.repeat(300))),
    ];
    for (const { state } of pages) {
      const lines = screen(state, { columns, rows });
      expect(lines.length).toBeLessThanOrEqual(rows);
      for (const line of lines) expect(displayWidth(line)).toBeLessThanOrEqual(columns);
    }
  });

  it('shows no character that does something to the terminal', () => {
    const { state } = run(listed('apr_1'), key('return'), shown('apr_1'));
    expect(screen(state, { rows: 60 }).join('')).not.toMatch(/[\p{Cc}\u202a-\u202e]/u);
    expect(screen(run(listed('apr_1')).state).join('')).not.toMatch(/[\p{Cc}\u202a-\u202e]/u);
  });

  it('hides nothing of a request: what does not fit can be scrolled to', () => {
    const long = Object.fromEntries(Array.from({ length: 40 }, (_, n) => [`field${String(n)}`, n]));
    const begun = [listed('apr_1'), key('return'), shown('apr_1', { metadata: long })];
    expect(screen(run(...begun).state).join('\n')).toMatch(/▾ \d+ more lines/);
    const seen = Array.from({ length: 12 }, (_, n) =>
      screen(run(...begun, ...Array(5 * n).fill(key('j'))).state).join('\n'),
    );
    for (let n = 0; n < 40; n++)
      expect(seen.some((text) => text.includes(`field${String(n)}: ${String(n)}`))).toBe(true);
  });
});
