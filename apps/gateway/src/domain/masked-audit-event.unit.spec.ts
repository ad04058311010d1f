import { sampleAuditEvent } from '../../test/sample-audit-event.js';
import { maskedAuditEvent } from './masked-audit-event.js';

describe('an audit event for operators', () => {
  it('has null where a value looks like a secret, and says where', () => {
    const event = sampleAuditEvent({
      metadata: { region: 'eu', db: { password: 'hunter2' } },
      data_accessed: [{ table: 'users', api_key: 'k' }],
    });
    expect(maskedAuditEvent(event)).toEqual({
      ...event,
      metadata: { region: 'eu', db: { password: null } },
      data_accessed: [{ table: 'users', api_key: null }],
      masked: ['/metadata/db/password', '/data_accessed/0/api_key'],
    });
  });
});
