import { type ReactNode, useEffect, useId, useRef } from 'react';

interface DialogProps {
  readonly title: string;
  readonly description?: ReactNode;
  /** Beside the title: the time left, for example. */
  readonly tag?: ReactNode;
  readonly role?: 'alertdialog' | 'dialog';
  /** Escape and Cancel; the opener gets the focus back by itself. */
  readonly onClose: () => void;
  readonly children: ReactNode;
}

/**
 * A modal dialog of the browser itself: it keeps the focus inside, makes the rest of the page inert, closes by Escape, and gives the
 * focus back to its opener. Clicking beside it does not close it. Put `autoFocus` on what shall have the focus first.
 */
export function Dialog({ title, description, tag, role = 'dialog', onClose, children }: DialogProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  const id = useId();
  useEffect(() => {
    const { current } = dialog;
    if (current === null) return;
    const opener = document.activeElement;
    if (!current.open) current.showModal();
    current.querySelector<HTMLElement>('[data-autofocus]')?.focus();
    return () => {
      current.close();
      if (opener instanceof HTMLElement && opener.isConnected) opener.focus();
    };
  }, []);
  return (
    <dialog
      ref={dialog}
      role={role}
      aria-modal="true"
      aria-labelledby={`${id}t`}
      {...(description === undefined ? {} : { 'aria-describedby': `${id}d` })}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
    >
      <div className="dlg">
        <h2 id={`${id}t`}>{title}</h2>
        {tag}
        {description === undefined ? null : <p id={`${id}d`}>{description}</p>}
        {children}
      </div>
    </dialog>
  );
}
