/**
 * What the judgement of one submission may still cost, over all conditions and the expression of its policy, in steps. A
 * step is about as much work as looking at eight characters or at a value: 10 to 20 ns. What cannot be afforded fails.
 */
export interface Fuel {
  left: number;
}

/**
 * About 5 ms of the dearest steps there are (RE2's NFA); an ordinary policy needs a hundredth of it. Steps alone end an
 * evaluation: neither this code nor the packages for CEL and RE2 look at a clock, so the same action is judged the same on
 * every machine. What remains by time is outside: the deadline of the batch, after which the engine does not answer at all.
 */
export const fullTank = 300_000;

/** Takes from the tank; false when it does not hold enough, and then nothing holds any more. */
export function spend(fuel: Fuel, amount: number): boolean {
  fuel.left -= amount;
  return fuel.left >= 0;
}

/** For reading a text once. */
export const textCost = (text: string): number => 1 + (text.length >> 3);

/** For finding one text in another: JavaScript's search takes the product of both lengths in the worst case. */
export const searchCost = (text: string, part: string): number =>
  textCost(text) + Math.floor((text.length / 64) * part.length);
