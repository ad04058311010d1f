import { useState } from 'react';
import { Dialog } from './dialog.js';
import { Icon } from './icon.js';

interface CopyFieldProps {
  readonly label: string;
  readonly text: string;
}

/** A text with a button that copies exactly it. */
export function CopyField({ label, text }: CopyFieldProps) {
  const [state, setState] = useState<'ready' | 'copied' | 'refused'>('ready');
  const copy = () =>
    navigator.clipboard.writeText(text).then(
      () => setState('copied'),
      // Browsers copy only from pages over https or on this machine.
      () => setState('refused'),
    );
  return (
    <div className="copy-field">
      <span className="lab">{label}</span>
      <span className="cmd">
        <code>{text}</code>
        <button
          className="btn"
          type="button"
          aria-label={`Copy the ${label.toLowerCase()}`}
          onClick={() => void copy()}
        >
          <Icon name={state === 'copied' ? 'check' : 'copy'} />
          {state === 'copied' ? 'Copied' : 'Copy'}
        </button>
      </span>
      <span className="fine" role="status">
        {state === 'refused' ? 'The browser did not allow copying. Select the text and copy it.' : ''}
      </span>
    </div>
  );
}

interface SecretOnceProps extends CopyFieldProps {
  readonly title: string;
  readonly description: string;
  readonly onClose: () => void;
}

/** A secret that the server shows this one time. Escape does not close it by accident: there is no way to see it again. */
export function SecretOnce({ title, description, label, text, onClose }: SecretOnceProps) {
  const [sure, setSure] = useState(false);
  return (
    <Dialog title={title} description={description} onClose={() => setSure(true)}>
      <CopyField label={label} text={text} />
      {sure ? <p role="status">This is shown once. Press Done when you have stored it.</p> : null}
      <div className="ends">
        <button className="btn solid" type="button" data-autofocus onClick={onClose}>
          Done
        </button>
      </div>
    </Dialog>
  );
}
