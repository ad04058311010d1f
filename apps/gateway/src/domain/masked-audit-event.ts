import { type AuditEvent, maskSecrets } from '@agentlattice/contracts';

/** An audit event as operators read it: values that look like secrets are null, and `masked` has their pointers (ADR 51). */
export function maskedAuditEvent(event: AuditEvent): AuditEvent {
  const metadata = maskSecrets(event.metadata, '/metadata');
  const accessed = maskSecrets(event.data_accessed, '/data_accessed');
  return {
    ...event,
    metadata: metadata.value,
    data_accessed: accessed.value,
    masked: [...metadata.masked, ...accessed.masked],
  };
}
