import { UnreadableEvent } from '../domain/approval.js';
import { opened } from '../../test/approval-scenario.js';
import { openedEventOf, readOpenedEvent } from './opened-event.js';

describe('the first event of a request, read for a query', () => {
  const stored = { type: 'approval.opened', schema_version: 1, data: opened };

  it('has its data in the newest version', () => expect(readOpenedEvent(stored)).toEqual(opened));

  it.each([
    ['of an unknown version', { ...stored, schema_version: 9 }],
    ['of another type', { ...stored, type: 'approval.cancelled' }],
    ['of another stream', { ...stored, type: 'policy.created' }],
    ['of another form', { ...stored, data: { ...opened, agent: null } }],
  ])('is not used when it is %s', (_what, event) => {
    expect(() => readOpenedEvent(event)).toThrow(UnreadableEvent);
    expect(openedEventOf(event)).toBeNull();
  });
});
