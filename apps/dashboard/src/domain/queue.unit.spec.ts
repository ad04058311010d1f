import { byDeadline, departed, heldBack } from './queue.js';

const at = (minute: number, id = `apr_${String(minute)}`) => ({
  id,
  timeout_at: new Date(minute * 60_000).toISOString(),
});

it('orders by deadline, and by id where deadlines are equal', () => {
  expect([at(2), at(1, 'b'), at(1, 'a')].sort(byDeadline).map(({ id }) => id)).toEqual(['a', 'b', 'apr_2']);
});

describe('what left the answer', () => {
  it('is what was shown and is not there any more', () => {
    expect(departed([at(1), at(2), at(3)], [at(1), at(3)], false)).toEqual([at(2)]);
    expect(departed([at(1), at(2)], [], false)).toEqual([at(1), at(2)]);
  });

  it('is not what stands behind the last one that was loaded', () => {
    expect(departed([at(1), at(2), at(9)], [at(1), at(3)], true)).toEqual([at(2)]);
    expect(departed([at(1)], [], true)).toEqual([]);
  });
});

describe('new requests', () => {
  const shown = new Set(['apr_5']);
  it('wait while one of them would come before what the hand is on', () => {
    expect(heldBack(shown, [at(3), at(5), at(8)], at(5))).toEqual([at(3), at(8)]);
  });

  it('come in at once behind it, and while the list is not used', () => {
    expect(heldBack(shown, [at(5), at(8)], at(5))).toEqual([]);
    expect(heldBack(shown, [at(3), at(5)], null)).toEqual([]);
  });
});
