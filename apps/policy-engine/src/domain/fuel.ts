/**
 * The steps that remain for judging one submission, over all conditions and the expression of its policy. A step is about the
 * work of reading eight characters or one value: 10 to 20 ns. A condition that needs more than remains fails.
 */
export interface Fuel {
  left: number;
}

/**
 * About 5 ms of the most expensive steps (RE2's NFA); an ordinary policy needs a hundredth of it. Only steps end an evaluation:
 * neither this code nor the packages for CEL and RE2 read a clock, so the same action gets the same verdict on every machine.
 * The only limit by time is outside: the deadline of the batch, after which the engine does not answer.
 */
export const fuelLimit = 300_000;

/** Spends steps; false when too few remain, and then for every later call. */
export function spend(fuel: Fuel, amount: number): boolean {
  fuel.left -= amount;
  return fuel.left >= 0;
}

/** For reading a text once. */
export const textCost = (text: string): number => 1 + (text.length >> 3);

/** For searching one text in another: JavaScript's search takes the product of both lengths in the worst case. */
export const searchCost = (text: string, part: string): number =>
  textCost(text) + Math.floor((text.length / 64) * part.length);
