import type { Overview } from '../../api/overview.js';
import { EndingsChart } from './endings-chart.js';
import { HoursChart } from './hours-chart.js';
import { PoliciesRank } from './policies-rank.js';
import { TimesChart } from './times-chart.js';

/** The charts, in a chunk of their own together with the library that computes them. */
export const Charts = ({ overview }: { readonly overview: Overview }) => (
  <div className="plots">
    <TimesChart overview={overview} />
    <EndingsChart overview={overview} />
    <PoliciesRank overview={overview} />
    <HoursChart overview={overview} />
  </div>
);
