import { lazy, Suspense, useState } from 'react';
import { useLastDecided } from './use-last-decided.js';

const FirstApproval = lazy(async () => ({ default: (await import('./first-approval.js')).FirstApproval }));

/** From an empty workspace to the first decision; then its events are offered, until the page is left. */
export function FirstSteps({ waiting, hidden }: { readonly waiting: number; readonly hidden: number }) {
  const [isFirst, setFirst] = useState(false);
  // A workspace with several requests knows how it works.
  const last = useLastDecided(isFirst || waiting + hidden <= 1);
  if (last === null && !isFirst) setFirst(true);
  if (!isFirst || last === undefined) return null;
  return (
    <Suspense>
      <FirstApproval decided={last} isWaiting={waiting + hidden > 0} />
    </Suspense>
  );
}
