import type { Ref } from 'react';
import { TextArea } from '../components/form.js';

interface ReasonFieldProps {
  /** Where the reason goes. */
  readonly hint: string;
  readonly reason: string;
  readonly onReason: (reason: string) => void;
  readonly ref?: Ref<HTMLTextAreaElement>;
  readonly isFirst?: boolean;
}

/** Why a person decides so; always optional. */
export const ReasonField = ({ hint, reason, onReason, ref, isFirst = false }: ReasonFieldProps) => (
  <TextArea
    label="Reason"
    hint={`(optional, ${hint})`}
    maxLength={2000}
    value={reason}
    onChange={(event) => onReason(event.currentTarget.value)}
    {...(ref === undefined ? {} : { ref })}
    {...(isFirst ? { 'data-autofocus': true } : {})}
  />
);
