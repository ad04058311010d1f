import { type AuditEvent, type DisclosedContent, maskSecrets } from '@agentlattice/contracts';

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

/** Fields whose values come from agents. */
const maskedFields = ['metadata', 'data_accessed'] as const;

/**
 * Disclosed values of an entry for operators. A field with a value that looks like a secret is left out with its salt: with a
 * value changed it would not open its commitment.
 */
export function withheldSecrets({ fields, ...entry }: DisclosedContent) {
  const withheld = maskedFields.filter((name) => {
    const field = fields[name];
    return field !== undefined && maskSecrets(JSON.parse(field.value) as unknown, '').masked.length > 0;
  });
  const shown = Object.entries(fields).filter(([name]) => !(withheld as readonly string[]).includes(name));
  return { ...entry, fields: Object.fromEntries(shown), withheld };
}
