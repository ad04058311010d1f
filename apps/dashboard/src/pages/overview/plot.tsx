import { type ReactNode, useId } from 'react';

interface PlotProps {
  /** The title is the question that the chart answers. */
  readonly question: string;
  readonly about: string;
  /** The chart in words, for those who do not see it. */
  readonly summary: string;
  readonly viewBox: string;
  readonly chart: ReactNode;
  readonly legend?: ReactNode;
  /** The same figures as rows. */
  readonly table: ReactNode;
}

export function Plot({ question, about, summary, viewBox, chart, legend, table }: PlotProps) {
  const id = useId();
  return (
    <section className="plot" aria-labelledby={id}>
      <h2 id={id}>{question}</h2>
      <p>{about}</p>
      <svg viewBox={viewBox} role="img" aria-label={summary}>
        {chart}
      </svg>
      {legend === undefined ? null : <p className="legend">{legend}</p>}
      <details>
        <summary>Show as a table</summary>
        <div className="plot-table">{table}</div>
      </details>
    </section>
  );
}

/** Timed out is hatched, so that it is told apart without colour. */
export const Hatch = ({ id }: { readonly id: string }) => (
  <defs>
    <pattern id={id} width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
      <rect width="6" height="6" className="paper" />
      <path d="M0 0V6" className="hatch" />
    </pattern>
  </defs>
);
