import { changedFields, leavesIn } from './compare-values.js';
import { type Asked, type AskHistory, cuesOf, type Ended } from './cues.js';

const approved = (metadata: unknown): Ended => ({
  status: 'approved',
  byPerson: true,
  values: metadata === null ? null : leavesIn(metadata),
});
const ended = (status: string, byPerson = true): Ended => ({ status, byPerson, values: null });
const asked = (metadata: unknown, conditions: Asked['conditions'] = []): Asked => ({
  values: leavesIn(metadata),
  conditions,
});
const history = (changes: Partial<AskHistory> = {}): AskHistory => ({
  askedBefore: true,
  sameOfLate: 1,
  ended: [],
  ...changes,
});
const condition = (field: string, operator = 'lte') => ({ field, operator, expected: 10, result: false });
const times = <T>(count: number, item: T) => Array.from({ length: count }, () => item);
const kindsOf = (cues: ReturnType<typeof cuesOf>) => cues.map(({ kind }) => kind);

it('a request like its predecessors has no cue', () => {
  expect(
    cuesOf(asked({ service: 'api' }), history({ ended: times(3, approved({ service: 'api' })) })),
  ).toEqual([]);
});

it('first_time: nothing of the kind was asked in 90 days', () => {
  expect(cuesOf(asked({}), history({ askedBefore: false }))).toEqual([
    { kind: 'first_time', level: 'warn', field: null, params: { days: 90 } },
  ]);
});

describe('largest', () => {
  const ten = [4, 10, 7].map((count) => approved({ change: { count } }));
  it('is a number that a condition limits, above every approved one', () => {
    const limited = [condition('change.count')];
    expect(cuesOf(asked({ change: { count: 14 } }, limited), history({ ended: ten }))).toEqual([
      {
        kind: 'largest',
        level: 'warn',
        field: '/metadata/change/count',
        params: { value: 14, max: 10, approvals: 3 },
      },
    ]);
    expect(cuesOf(asked({ change: { count: 10 } }, limited), history({ ended: ten }))).toEqual([]);
  });

  it('reads a path that names metadata, and needs three approvals', () => {
    const limited = [condition('metadata.change.count')];
    expect(kindsOf(cuesOf(asked({ change: { count: 14 } }, limited), history({ ended: ten })))).toEqual([
      'largest',
    ]);
    expect(cuesOf(asked({ change: { count: 14 } }, limited), history({ ended: ten.slice(1) }))).toEqual([]);
  });

  it.each([
    ['no condition names it', []],
    ['it is limited from below', [condition('change.count', 'gte')]],
    ['the condition is about another fact', [condition('time.hour'), condition('expression', 'cel')]],
  ])('is not said where %s', (_what, conditions) => {
    expect(cuesOf(asked({ change: { count: 14 } }, conditions), history({ ended: ten }))).toEqual([]);
  });
});

describe('new_value', () => {
  const eu = times(3, approved({ region: 'eu', version: 1 }));
  it('is another value where the last approvals had one', () => {
    expect(cuesOf(asked({ region: 'us' }), history({ ended: eu }))).toEqual([
      { kind: 'new_value', level: 'warn', field: '/metadata/region', params: { was: 'eu', times: 3 } },
    ]);
  });

  it('is not said where the approvals differed, or were few', () => {
    expect(cuesOf(asked({ region: 'us' }), history({ ended: [approved({ region: 'as' }), ...eu] }))).toEqual(
      [],
    );
    expect(cuesOf(asked({ region: 'us' }), history({ ended: eu.slice(1) }))).toEqual([]);
  });

  it('does not show a masked value', () => {
    const secret = times(3, approved({ api_token: 'one' }));
    expect(cuesOf(asked({ api_token: 'two' }), history({ ended: secret }))).toEqual([
      { kind: 'new_value', level: 'warn', field: '/metadata/api_token', params: { times: 3 } },
    ]);
  });

  it('looks at the last ten approvals', () => {
    const ten = times(10, approved({ region: 'eu' }));
    const older = [...ten, approved({ region: 'us' })];
    expect(cuesOf(asked({ region: 'us' }), history({ ended: older }))).toMatchObject([
      { kind: 'new_value', params: { times: 10 } },
      { kind: 'last_approved' },
    ]);
  });
});

describe('looks_like', () => {
  it('is a text that looks like an approved one and is another', () => {
    const before = [approved({ host: 'paypal.com' })];
    expect(cuesOf(asked({ host: 'p\u0430ypal.com' }), history({ ended: before }))).toEqual([
      {
        kind: 'looks_like',
        level: 'warn',
        field: '/metadata/host',
        params: { like: 'paypal.com', mixed_scripts: true },
      },
    ]);
    expect(cuesOf(asked({ host: 'paypa1.com' }), history({ ended: before }))).toMatchObject([
      { params: { like: 'paypal.com', mixed_scripts: false } },
    ]);
  });

  it('is a word of two scripts, until a person approved that text', () => {
    const host = 'p\u0430ypal.com';
    expect(cuesOf(asked({ host }), history())).toMatchObject([
      { kind: 'looks_like', params: { like: null } },
    ]);
    expect(cuesOf(asked({ host }), history({ ended: [approved({ host })] }))).toEqual([]);
  });
});

it('recent_denials: people denied two of the last five', () => {
  const last = [ended('denied'), ended('approved'), ended('denied'), ended('timed_out'), ended('cancelled')];
  expect(cuesOf(asked({}), history({ ended: [...last, ended('denied')] }))).toEqual([
    { kind: 'recent_denials', level: 'warn', field: null, params: { denied: 2, of: 5 } },
  ]);
  expect(cuesOf(asked({}), history({ ended: [ended('denied', false), ...last.slice(1)] }))).toEqual([]);
});

it('repeats: the same action was asked for three times in ten minutes', () => {
  expect(cuesOf(asked({}), history({ sameOfLate: 2 }))).toEqual([]);
  expect(cuesOf(asked({}), history({ sameOfLate: 3 }))).toEqual([
    { kind: 'repeats', level: 'warn', field: null, params: { times: 3, minutes: 10 } },
  ]);
});

it('last_approved: people approved the last five, and warnings come first', () => {
  const five = times(5, approved({ region: 'eu' }));
  expect(cuesOf(asked({ region: 'us' }), history({ ended: five }))).toMatchObject([
    { kind: 'new_value', level: 'warn' },
    { kind: 'last_approved', level: 'calm', params: { count: 5 } },
  ]);
  expect(cuesOf(asked({}), history({ ended: times(5, ended('approved', false)) }))).toEqual([]);
  expect(cuesOf(asked({}), history({ ended: times(4, ended('approved')) }))).toEqual([]);
});

it('values that were erased give no cue', () => {
  const nothing = { values: null, conditions: [condition('change.count')] };
  expect(cuesOf(nothing, history({ ended: times(3, approved({ change: { count: 1 } })) }))).toEqual([]);
  expect(cuesOf(asked({ region: 'us' }), history({ ended: times(4, approved(null)) }))).toEqual([]);
});

describe('what changed since the last approved request', () => {
  const was = leavesIn({
    version: '2.0.9',
    tags: ['a', 'b'],
    gone: true,
    api_token: 'one',
    same_secret: 'x',
  });
  const now = leavesIn({ version: '2.1.0', tags: ['a', 'c'], api_token: 'two', same_secret: 'x', added: {} });
  it('is listed by pointer with the approved value, and masked values without it', () => {
    expect(changedFields(now, was)).toEqual({
      changed: [
        { field: '/metadata/version', change: 'changed', was: '2.0.9', masked: false },
        { field: '/metadata/tags/1', change: 'changed', was: 'b', masked: false },
        { field: '/metadata/api_token', change: 'changed', was: null, masked: true },
        { field: '/metadata/added', change: 'added', was: null, masked: false },
        { field: '/metadata/gone', change: 'removed', was: true, masked: false },
      ],
      changed_truncated: false,
    });
  });

  it('is cut after fifty fields, and says so', () => {
    const many = leavesIn(Object.fromEntries(Array.from({ length: 60 }, (_, i) => [`f${String(i)}`, i])));
    const { changed, changed_truncated } = changedFields(many, was);
    expect(changed).toHaveLength(50);
    expect(changed_truncated).toBe(true);
  });
});
