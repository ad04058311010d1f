import { filterOf, isFiltered, readQueueSearch } from './queue-search.js';

it('takes the filters that it knows and leaves the rest', () => {
  expect(
    readQueueSearch({ q: 'api', tab: 'decided', show: 'none', status: 'pending', agent_id: '' }),
  ).toEqual({
    q: 'api',
    tab: 'decided',
  });
});

it('asks for what the person can decide unless all is wanted; viewers see all', () => {
  expect(filterOf({ q: 'api' }, true)).toEqual({ q: 'api', decidable: true });
  expect(filterOf({ show: 'all' }, true)).toEqual({});
  expect(filterOf({}, false)).toEqual({});
  expect(isFiltered({ show: 'all' })).toBe(false);
  expect(isFiltered({ policy_id: 'pol_1' })).toBe(true);
});
