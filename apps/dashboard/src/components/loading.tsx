import { useEffect, useState } from 'react';

/** Nothing for 300 ms, then the shape of tiles: most answers are there before. */
export function LoadingTiles({ count = 3 }: { readonly count?: number }) {
  const [late, setLate] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setLate(true), 300);
    return () => clearTimeout(timer);
  }, []);
  if (!late) return <div aria-busy="true" />;
  return (
    <div className="list" aria-busy="true">
      <p className="sr" role="status">
        Loading
      </p>
      {Array.from({ length: count }, (_, i) => (
        <div key={i} className="tile" aria-hidden="true">
          <div className="when">
            <span className="bone" />
          </div>
          <div className="body">
            <span className="bone w2" />
            <span className="bone w3" />
            <span className="bone w3" />
          </div>
          <div className="acts">
            <span className="bone h" />
            <span className="bone h" />
          </div>
        </div>
      ))}
    </div>
  );
}
