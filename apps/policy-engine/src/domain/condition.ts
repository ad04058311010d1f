import { assertNever } from '@agentlattice/decider';
import type { Condition, ConditionEvaluated, ConditionOperator } from '@agentlattice/contracts';
import type { Facts } from './facts.js';
import { type FieldPath, fieldPath, readField, unreadable } from './field-path.js';
import { type Fuel, searchCost, spend, textCost } from './fuel.js';
import { kindOf } from './kind.js';
import { linearPattern } from './linear-pattern.js';

export interface CompiledCondition {
  evaluate(facts: Facts, fuel: Fuel): ConditionEvaluated;
}

/** True when the value, which exists, meets the condition. */
type Test = (actual: unknown, fuel: Fuel) => boolean;

const isScalar = (value: unknown) => value === null || (typeof value !== 'object' && value !== undefined);
const sameType = (a: unknown, b: unknown) => isScalar(a) && kindOf(a) === kindOf(b);

/** The cost of one condition in addition to its values. */
const conditionCost = 20;

const compareCost = (value: unknown) => (typeof value === 'string' ? textCost(value) : 1);

/**
 * Compiles one condition. A faulty condition fails for every action, so that it never lets one pass.
 * @returns the condition, and its faults with pointers below the condition
 */
export function compileCondition(condition: Condition): {
  compiled: CompiledCondition;
  faults: { pointer: string; detail: string }[];
} {
  const { field, operator, value } = condition;
  const path = fieldPath(field);
  const test = testOf(operator, value);
  const faults = [
    ...(typeof path === 'string' ? [{ pointer: '/field', detail: path }] : []),
    ...(typeof test === 'string' ? [{ pointer: '/value', detail: test }] : []),
  ];
  if (typeof path !== 'string' && typeof test !== 'string') faults.push(...misfit(path, operator, value));
  const passes =
    typeof path === 'string' || typeof test === 'string' || faults.length > 0
      ? () => false
      : (facts: Facts, fuel: Fuel) =>
          spend(fuel, conditionCost) && holds(operator, value, test, readField(facts, path, fuel), fuel);
  return {
    compiled: {
      evaluate: (facts, fuel) => {
        const result = passes(facts, fuel);
        // A result of a reading that ran out of fuel proves nothing.
        return { field, operator, expected: value, result: result && fuel.left >= 0 };
      },
    },
    faults,
  };
}

function holds(
  operator: ConditionOperator,
  value: unknown,
  test: Test,
  actual: unknown,
  fuel: Fuel,
): boolean {
  if (actual === unreadable) return false;
  if (operator === 'exists') return (actual !== undefined) === value;
  return actual !== undefined && test(actual, fuel);
}

/** The operator's test for a value, or a sentence that says why the value does not fit the operator. */
function testOf(operator: ConditionOperator, value: Condition['value']): Test | string {
  switch (operator) {
    case 'eq':
      return isScalar(value)
        ? (actual, fuel) => spend(fuel, compareCost(actual)) && actual === value
        : 'compares with one value; use in for several';
    case 'neq':
      return isScalar(value)
        ? (actual, fuel) => spend(fuel, compareCost(actual)) && sameType(actual, value) && actual !== value
        : 'compares with one value; use not_in for several';
    case 'lt':
      return ordered(value, (actual, bound) => actual < bound);
    case 'lte':
      return ordered(value, (actual, bound) => actual <= bound);
    case 'gt':
      return ordered(value, (actual, bound) => actual > bound);
    case 'gte':
      return ordered(value, (actual, bound) => actual >= bound);
    case 'in':
      return amongst(value, true);
    case 'not_in':
      return amongst(value, false);
    case 'contains':
      return containing(value, true);
    case 'not_contains':
      return containing(value, false);
    case 'starts_with':
      return typeof value === 'string'
        ? (actual, fuel) =>
            typeof actual === 'string' && spend(fuel, textCost(actual)) && actual.startsWith(value)
        : 'is a string';
    case 'ends_with':
      return typeof value === 'string'
        ? (actual, fuel) =>
            typeof actual === 'string' && spend(fuel, textCost(actual)) && actual.endsWith(value)
        : 'is a string';
    case 'matches':
      return matching(value);
    case 'exists':
      return typeof value === 'boolean' ? () => true : 'is true or false';
    default:
      return assertNever(operator);
  }
}

function ordered(value: unknown, inOrder: (actual: number | string, bound: number | string) => boolean) {
  if (typeof value !== 'number' && typeof value !== 'string') return 'is a number or a string';
  return (actual: unknown, fuel: Fuel) =>
    spend(fuel, compareCost(actual)) &&
    typeof actual === typeof value &&
    inOrder(actual as number | string, value);
}

/** One of several values. A value of a type that none of them has is neither `in` nor `not_in`. */
function amongst(value: unknown, wanted: boolean): Test | string {
  if (!Array.isArray(value) || value.length === 0) return 'is a list of at least one value';
  const values = new Set<unknown>(value);
  const kinds = new Set(value.map(kindOf));
  return (actual, fuel) =>
    isScalar(actual) &&
    spend(fuel, compareCost(actual)) &&
    kinds.has(kindOf(actual)) &&
    values.has(actual) === wanted;
}

/**
 * A part of a text, or an element of a list. An element of another type may be the value in another shape (`["pii"]` for
 * `"pii"`), so a list with such an element proves nothing about what it lacks.
 */
function containing(value: unknown, wanted: boolean): Test | string {
  if (!isScalar(value)) return 'is one value';
  const valueCost = compareCost(value);
  return (actual, fuel) => {
    if (Array.isArray(actual)) {
      if (!spend(fuel, actual.length * valueCost)) return false;
      return wanted
        ? actual.includes(value)
        : actual.every((element) => sameType(element, value)) && !actual.includes(value);
    }
    if (typeof actual !== 'string' || typeof value !== 'string') return false;
    return spend(fuel, searchCost(actual, value)) && actual.includes(value) === wanted;
  };
}

function matching(value: unknown): Test | string {
  if (typeof value !== 'string') return 'is a string';
  const pattern = linearPattern(value);
  if (typeof pattern === 'string') return pattern;
  return (actual, fuel) => typeof actual === 'string' && pattern.found(actual, fuel);
}

/** Fields of a known type: a value of another type could never match, so it is a fault. */
function misfit({ root, steps }: FieldPath, operator: ConditionOperator, value: Condition['value']) {
  if (operator === 'exists' || (root !== 'agent' && root !== 'time')) return [];
  const [name] = steps;
  const type = root === 'agent' || name === 'iso' ? 'string' : 'number';
  const nullable = name === 'owner_member_id';
  const fits = (one: unknown) => typeof one === type || (nullable && one === null);
  const values: readonly unknown[] = Array.isArray(value) ? value : [value];
  const faults = values.every(fits)
    ? []
    : [{ pointer: '/value', detail: `${root}.${String(name)} is a ${type}, so the value must be one` }];
  if (type === 'number' && /contains$|with$|matches/.test(operator))
    faults.push({
      pointer: '/operator',
      detail: `${root}.${String(name)} is a number; ${operator} is for text`,
    });
  return faults;
}
