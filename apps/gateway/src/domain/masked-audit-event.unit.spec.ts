import { sampleAuditEvent } from '../../test/sample-audit-event.js';
import { maskedAuditEvent, withheldSecrets } from './masked-audit-event.js';

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

it('disclosed values for operators leave out fields with what looks like a secret, and say which', () => {
  const field = (value: unknown) => ({ salt: '00'.repeat(16), value: JSON.stringify(value) });
  const entry = { seq: 4, id: 'evt_01jd7e5sqcfnmrq9yh4qvxw2k3' };
  const reason = field('fine');
  expect(
    withheldSecrets({ ...entry, fields: { metadata: field({ db: { password: 'hunter2' } }), reason } }),
  ).toEqual({ ...entry, fields: { reason }, withheld: ['metadata'] });
  const open = { data_accessed: field([{ table: 'users' }]), metadata: field({ region: 'eu' }) };
  expect(withheldSecrets({ ...entry, fields: open })).toEqual({ ...entry, fields: open, withheld: [] });
});
