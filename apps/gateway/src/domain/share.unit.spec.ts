import { Shares } from './share.js';

const limits = { perWorkspace: 2, inAll: 3, waiting: 2, costPerSecond: 1_000 };

function open() {
  const begun: string[] = [];
  const shares = new Shares(limits);
  const ask = (org: string, name: string, cost = 0) => shares.ask(org, cost, () => begun.push(name));
  return { begun, shares, ask };
}

describe('shares of large requests', () => {
  it('are limited for each workspace, so that others can begin', () => {
    const { begun, shares, ask } = open();
    expect([ask('a', 'a1'), ask('a', 'a2'), ask('a', 'a3')]).toEqual([true, true, false]);
    ask('b', 'b1');
    shares.beginDue(0);
    shares.beginDue(0);
    expect(begun).toEqual(['a1', 'b1', 'a2']);
    ask('a', 'a4');
    ask('c', 'c1');
    shares.beginDue(0);
    expect(begun).toHaveLength(3);
    shares.ended('b');
    shares.beginDue(0);
    expect(begun.slice(3)).toEqual(['c1']);
    shares.ended('a');
    shares.beginDue(0);
    expect(begun.slice(4)).toEqual(['a4']);
  });

  it('have a rate: the cost of a second begins at once, then each request waits for its cost', () => {
    const { begun, shares, ask } = open();
    ask('a', 'a1', 1_100);
    ask('a', 'a2', 100);
    ask('b', 'b1', 100);
    expect(shares.beginDue(0)).toBe(100);
    expect(begun).toEqual(['a1', 'b1']);
    expect(shares.beginDue(99)).toBe(100);
    shares.beginDue(100);
    expect(begun).toEqual(['a1', 'b1', 'a2']);
  });

  it('do not grow by a short pause', () => {
    const { begun, shares, ask } = open();
    ask('a', 'a1', 1_000);
    shares.beginDue(0);
    shares.ended('a');
    shares.beginDue(1);
    ask('a', 'a2', 1_000);
    shares.beginDue(1);
    shares.ended('a');
    ask('a', 'a3', 1);
    expect(shares.beginDue(2)).toBe(1_000);
    expect(begun).toEqual(['a1', 'a2']);
  });

  it('pass over a request that no longer waits', () => {
    const { shares } = open();
    const begun: string[] = [];
    const gone = () => begun.push('gone');
    shares.ask('a', 0, gone);
    shares.withdraw('a', gone);
    shares.beginDue(0);
    expect(begun).toEqual([]);
  });
});
