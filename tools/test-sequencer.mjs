// The order of test files. On a machine that has not run them before, Jest begins with the largest files; a short file that starts
// the whole system would come last and be waited for alone. So the slow tiers come first, and the many short files fill what is left.
import Sequencer from '@jest/test-sequencer';

const tiers = ['e2e', 'int', 'unit'];
const tierOf = ({ path }) => tiers.findIndex((tier) => path.endsWith(`.${tier}.spec.ts`));

export default class SlowTiersFirst extends Sequencer {
  async sort(tests) {
    return (await super.sort(tests)).sort((a, b) => tierOf(a) - tierOf(b));
  }
}
