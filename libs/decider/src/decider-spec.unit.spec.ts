import { assertNever, type Decider, deciderSpec, fold, Refused } from './index.js';

type Command = { type: 'open' } | { type: 'shut'; force: boolean };
type Event = { type: 'opened' } | { type: 'shut'; forced: boolean };
type Via = { status: 'shut' | 'open' };

const door: Decider<Via, Command, Event> = {
  initialState: () => ({ status: 'shut' }),
  decide(command, state) {
    switch (command.type) {
      case 'open':
        return state.status === 'open' ? [] : [{ type: 'opened' }];
      case 'shut':
        if (state.status === 'shut') throw new Refused('ALREADY_SHUT', 'the door is shut');
        return [{ type: 'shut', forced: command.force }];
      default:
        return assertNever(command);
    }
  },
  evolve(_state, event) {
    switch (event.type) {
      case 'opened':
        return { status: 'open' };
      case 'shut':
        return { status: 'shut' };
      default:
        return assertNever(event);
    }
  },
};
const given = deciderSpec(door);

describe('deciderSpec', () => {
  it('accepts what the decider says', () => {
    given().when({ type: 'open' }).thenEvents({ type: 'opened' });
    given({ type: 'opened' }).when({ type: 'open' }).thenNothing();
    given({ type: 'opened' }).when({ type: 'shut', force: true }).thenEvents({ type: 'shut', forced: true });
    given().when({ type: 'shut', force: false }).thenRefused('ALREADY_SHUT');
  });

  it('fails a test whose expectation is not met', () => {
    expect(() => given().when({ type: 'open' }).thenNothing()).toThrow('opened');
    expect(() =>
      given({ type: 'opened' })
        .when({ type: 'shut', force: true })
        .thenEvents({ type: 'shut', forced: false }),
    ).toThrow('forced');
    expect(() =>
      given({ type: 'opened' }).when({ type: 'shut', force: true }).thenRefused('ALREADY_SHUT'),
    ).toThrow('expected the refusal');
    expect(() => given().when({ type: 'shut', force: true }).thenRefused('LOCKED')).toThrow(
      'got ALREADY_SHUT',
    );
  });
});

describe('fold', () => {
  it('starts at the initial state or at a given one', () => {
    expect(fold(door, [])).toEqual({ status: 'shut' });
    expect(fold(door, [], { status: 'open' })).toEqual({ status: 'open' });
    expect(fold(door, [{ type: 'opened' }, { type: 'shut', forced: false }])).toEqual({ status: 'shut' });
  });
});

describe('Refused', () => {
  it('carries a code, a detail for people and what else the caller may know', () => {
    const refusal = new Refused('ALREADY', 'somebody was faster', { extra: { by: 'x' } });
    expect(refusal).toMatchObject({ code: 'ALREADY', detail: 'somebody was faster', extra: { by: 'x' } });
    expect(refusal).toBeInstanceOf(Error);
  });
});
