import { createContext, type ReactNode, useCallback, useContext, useRef, useState } from 'react';

type Announce = (text: string, urgency?: 'polite' | 'assertive') => void;

const AnnounceContext = createContext<Announce>(() => undefined);

/** Says something to those who do not see the page. */
export const useAnnounce = (): Announce => useContext(AnnounceContext);

/** One polite and one assertive live region for the whole page. */
export function Announcer({ children }: { readonly children: ReactNode }) {
  const [polite, setPolite] = useState('');
  const [assertive, setAssertive] = useState('');
  const turn = useRef(false);
  const announce = useCallback<Announce>((text, urgency = 'polite') => {
    // The same text twice is a change as well, or it would not be read again.
    turn.current = !turn.current;
    const said = turn.current ? text : `${text}\u00a0`;
    if (urgency === 'polite') setPolite(said);
    else setAssertive(said);
  }, []);
  return (
    <AnnounceContext value={announce}>
      {children}
      <div className="sr" role="status" aria-live="polite">
        {polite}
      </div>
      <div className="sr" aria-live="assertive">
        {assertive}
      </div>
    </AnnounceContext>
  );
}
