/** What one evaluation may still spend on text search, in characters times pattern size. */
export interface Fuel {
  left: number;
}

/** About 50 ms of the slowest search there is (RE2's NFA); ordinary policies use a thousandth of it. */
export const fullTank = 4_000_000;

/** Takes from the tank; false when it does not hold enough, and then nothing may be searched any more. */
export function spend(fuel: Fuel, amount: number): boolean {
  fuel.left -= amount;
  return fuel.left >= 0;
}
