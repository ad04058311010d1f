import { StoredEventUnreadable, readStoredEvent, readWireEvent } from './stored-event.js';

const subject = {
  approval_id: 'apr_01m88r2x04f6ftfm2r74t5dha4',
  audit_event_id: 'evt_01m88r2x03f6ftfm2r74t5dha4',
  agent: { id: 'agt_01m88r2x01f6ftfm2r74t5dha4', name: 'deploy-bot', owner_member_id: null },
  action_type: 'deploy.production',
  policy: { id: 'pol_01m88r2x02f6ftfm2r74t5dha4', name: 'deploys', version: 3, hash: 'a'.repeat(64) },
};
/** As releases before suspensions wrote it, with a member of `meta` that is no longer written. */
const row = {
  org_id: 'org_01m88r2x07f6ftfm2r74t5dha4',
  stream_id: subject.approval_id,
  version: 2,
  event_id: 'evt_01m88r2x1bf6ftfm2r74t5dha4',
  type: 'approval.cancelled',
  schema_version: 1,
  data: subject,
  meta: { actor: null, correlation_id: 'c1', traceparent: null, command_id: 'cmd-1' },
  occurred_at: new Date('2026-11-25T08:01:00.000Z'),
  gpos: '27',
  source_seq: '26',
};

it('a stored event of an older version is folded in its newest', () => {
  expect(readStoredEvent(row)).toMatchObject({ schema_version: 2, data: { ...subject, suspension: null } });
});

it('a stored event is sent in the version in which it is stored', () => {
  expect(readWireEvent('approval-service', row)).toMatchObject({
    schema_version: 1,
    data: subject,
    gpos: 27,
    source_seq: 26,
    occurred_at: '2026-11-25T08:01:00.000Z',
  });
});

it.each([
  { ...row, schema_version: 3 },
  { ...row, type: 'approval.forgotten' },
  { ...row, data: { ...subject, suspension: 'none' } },
  { ...row, data: null },
  { ...row, meta: null },
])('an event that cannot be read is neither folded nor sent', (unreadable) => {
  expect(() => readStoredEvent(unreadable)).toThrow(StoredEventUnreadable);
  expect(() => readWireEvent('approval-service', unreadable)).toThrow(
    `event 2 of ${subject.approval_id} in ${row.org_id} cannot be read`,
  );
});
