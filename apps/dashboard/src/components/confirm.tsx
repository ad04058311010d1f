import type { FormEvent, ReactNode } from 'react';
import { Dialog } from './dialog.js';
import { Alert, errorText } from './notices.js';

interface ConfirmProps {
  readonly title: string;
  readonly description?: ReactNode;
  /** The verb on the button, and while it is under way. */
  readonly verb: string;
  readonly doing: string;
  readonly isDoing: boolean;
  readonly error: unknown;
  readonly isDangerous?: boolean;
  readonly onConfirm: () => void;
  readonly onClose: () => void;
  readonly children?: ReactNode;
}

/** Asks before something that others notice. Cancel has the focus, so that Enter does nothing by accident. */
export function Confirm({
  title,
  description,
  verb,
  doing,
  isDoing,
  error,
  isDangerous = false,
  onConfirm,
  onClose,
  children,
}: ConfirmProps) {
  return (
    <Dialog
      role="alertdialog"
      title={title}
      onClose={onClose}
      {...(description === undefined ? {} : { description })}
    >
      {children}
      {error === null ? null : <Alert>{errorText(error)}</Alert>}
      <div className="ends">
        <button className="btn" type="button" data-autofocus onClick={onClose}>
          Cancel
        </button>
        <button
          className={isDangerous ? 'btn danger' : 'btn solid'}
          type="button"
          disabled={isDoing}
          onClick={onConfirm}
        >
          {isDoing ? doing : verb}
        </button>
      </div>
    </Dialog>
  );
}

interface FormDialogProps {
  readonly title: string;
  readonly description?: ReactNode;
  readonly verb: string;
  readonly doing: string;
  readonly isDoing: boolean;
  /** What concerns no single field. */
  readonly error: ReactNode;
  readonly onSubmit: (values: FormData) => void;
  readonly onClose: () => void;
  readonly children: ReactNode;
}

/** A dialog of fields. Enter in a field sends them, as in every form. */
export function FormDialog({
  title,
  description,
  verb,
  doing,
  isDoing,
  error,
  onSubmit,
  onClose,
  children,
}: FormDialogProps) {
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    onSubmit(new FormData(event.currentTarget));
  };
  return (
    <Dialog title={title} onClose={onClose} {...(description === undefined ? {} : { description })}>
      <form className="form" onSubmit={submit}>
        {children}
        {error === null ? null : <Alert>{error}</Alert>}
        <div className="ends">
          <button className="btn" type="button" onClick={onClose}>
            Cancel
          </button>
          <button className="btn solid" type="submit" disabled={isDoing}>
            {isDoing ? doing : verb}
          </button>
        </div>
      </form>
    </Dialog>
  );
}
