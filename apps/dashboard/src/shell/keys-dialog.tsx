import { Dialog } from '../components/dialog.js';

const keys: readonly (readonly [string, string])[] = [
  ['J or ↓', 'Next request'],
  ['K or ↑', 'Previous request'],
  ['Enter', 'Open the request, when its name has the focus'],
  ['A', 'Go to Approve once; Enter then decides'],
  ['D', 'Open Deny'],
  ['F', 'Open Approve forever (administrators)'],
  ['N', 'Show new requests'],
  ['/', 'Filter'],
  ['G then A, O, L or P', 'Go to Approvals, Overview, Audit log or Policies'],
  ['Esc', 'Back'],
  ['?', 'These keys'],
];

/** All single keys. They can be switched off in the preferences. */
export const KeysDialog = ({ onClose }: { readonly onClose: () => void }) => (
  <Dialog title="Keys" description="No key decides by itself." onClose={onClose}>
    <dl className="key-list">
      {keys.map(([key, what]) => (
        <div key={key}>
          <dt>
            <kbd>{key}</kbd>
          </dt>
          <dd>{what}</dd>
        </div>
      ))}
    </dl>
    <div className="ends">
      <button className="btn" type="button" data-autofocus onClick={onClose}>
        Close
      </button>
    </div>
  </Dialog>
);
