import { type Fuel, spend, textCost } from './fuel.js';
import { kindOf } from './kind.js';

/** An expression met a value of another type than it tests: it fails, and its negation fails as well. */
export const typeMismatch = new TypeError('a value is of another type than the expression is about');
/** One shared error: an expression may throw it thousands of times before it ends. */
export const outOfFuel = new RangeError('the evaluation takes too long');

/** @throws outOfFuel */
export function pay(fuel: Fuel, amount: number): void {
  if (!spend(fuel, amount)) throw outOfFuel;
}

/** The cost of throwing through the nodes of an expression, in steps. */
const throwCost = 100;

/** @throws typeMismatch */
export function mismatch(fuel: Fuel): never {
  pay(fuel, throwCost);
  throw typeMismatch;
}

type Members = Readonly<Record<string, unknown>>;

/**
 * Whether two CEL values are equal. Values of different types are neither equal nor unequal; lists and maps are unequal
 * only where their parts can be compared. int and double are both numbers.
 * @param others compares values that are not JSON: timestamps, durations, bytes, types
 * @throws typeMismatch
 */
export function strictlyEqual(
  a: unknown,
  b: unknown,
  fuel: Fuel,
  others: (a: unknown, b: unknown) => boolean,
): boolean {
  pay(fuel, 2);
  const kind = kindOf(a);
  if (kind !== kindOf(b)) mismatch(fuel);
  switch (kind) {
    case 'null':
      return true;
    case 'boolean':
      return a === b;
    case 'number':
      return sameNumber(a as number | bigint, b as number | bigint);
    case 'string':
      pay(fuel, textCost(a as string));
      return a === b;
    case 'list':
      return sameLists(a as unknown[], b as unknown[]);
    case 'map':
      return sameMaps(a as Members, b as Members);
    case undefined:
      return others(a, b);
  }

  function sameLists(left: readonly unknown[], right: readonly unknown[]): boolean {
    const length = Math.min(left.length, right.length);
    let same = left.length === right.length;
    for (let i = 0; i < length; i++) same = strictlyEqual(left[i], right[i], fuel, others) && same;
    if (same) return true;
    // The rest of the longer list is not compared but must be of the same kind.
    const longer = left.length > length ? left : right;
    pay(fuel, longer.length);
    const [first] = left.length > 0 ? left : right;
    if (longer.some((element) => kindOf(element) !== kindOf(first))) mismatch(fuel);
    return false;
  }

  function sameMaps(left: Members, right: Members): boolean {
    const names = Object.keys(left);
    const theirs = Object.keys(right);
    pay(fuel, names.length + theirs.length);
    let same = names.length === theirs.length;
    for (const name of names)
      if (Object.hasOwn(right, name)) same = strictlyEqual(left[name], right[name], fuel, others) && same;
      else same = false;
    return same;
  }
}

/** A whole double equals the int of the same value. */
function sameNumber(a: number | bigint, b: number | bigint): boolean {
  if (typeof a === typeof b) return a === b;
  const [whole, double] = typeof a === 'bigint' ? [a, b as number] : [b as bigint, a];
  return Number.isInteger(double) && BigInt(double) === whole;
}

/**
 * Whether a list has an element. A match counts whatever the other elements are; the absence is proven only when all elements can be
 * compared.
 * @throws typeMismatch
 */
export function listHas(
  list: readonly unknown[],
  wanted: unknown,
  fuel: Fuel,
  others: (a: unknown, b: unknown) => boolean,
): boolean {
  const kind = kindOf(wanted);
  let comparable = true;
  for (const element of list) {
    pay(fuel, 1);
    if (kindOf(element) !== kind) {
      comparable = false;
      continue;
    }
    try {
      if (strictlyEqual(element, wanted, fuel, others)) return true;
    } catch (error) {
      if (error !== typeMismatch) throw error;
      comparable = false;
    }
  }
  if (!comparable) mismatch(fuel);
  return false;
}
