import { typeid } from 'typeid-js';
import { timeOfId } from './approval-metrics.js';

describe('the time in the id of a request', () => {
  it('is when the id was made', () => {
    const before = Date.now();
    const at = timeOfId(typeid('apr').toString());
    expect(at).toBeGreaterThanOrEqual(before);
    expect(at).toBeLessThanOrEqual(Date.now());
  });

  it('is read from the first 48 bits', () => {
    // The time of the example in RFC 9562, appendix A.6: 0x017f22e279b0.
    expect(timeOfId('apr_01fwhe4ydgf1s8000000000000')).toBe(0x017f22e279b0);
  });
});
