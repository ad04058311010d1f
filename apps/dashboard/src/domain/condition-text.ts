import { valueText } from './fields.js';

export interface Condition {
  readonly field: string;
  readonly operator: string;
  readonly expected?: unknown;
  readonly result: boolean;
}

const signs: Readonly<Record<string, string>> = {
  eq: '=', neq: '≠', lt: '<', lte: '≤', gt: '>', gte: '≥', in: 'in', not_in: 'not in', contains: 'contains',
  not_contains: 'does not contain', starts_with: 'starts with', ends_with: 'ends with', matches: 'matches',
  exists: 'exists',
}; // prettier-ignore

/** `amount ≤ 10000`. */
export function conditionText({ field, operator, expected }: Condition): string {
  if (operator === 'exists') return `${field} ${expected === false ? 'is missing' : 'is there'}`;
  return `${field} ${signs[operator] ?? operator} ${shortValue(expected)}`;
}

/** When the action would have run without a person: `runs alone up to 10`. */
export function runsAlone({ operator, expected }: Condition): string {
  const value = shortValue(expected);
  switch (operator) {
    case 'lte':
      return `runs alone up to ${value}`;
    case 'lt':
      return `runs alone below ${value}`;
    case 'gte':
      return `runs alone from ${value} up`;
    case 'gt':
      return `runs alone above ${value}`;
    case 'eq':
      return `runs alone when it is ${value}`;
    case 'neq':
      return `runs alone unless it is ${value}`;
    case 'exists':
      return expected === false ? 'runs alone when it is missing' : 'runs alone when it is there';
    case 'in':
      return `runs alone when it is in ${value}`;
    case 'not_in':
      return `runs alone when it is not in ${value}`;
    default:
      return `runs alone when it ${signs[operator] ?? operator} ${value}`;
  }
}

const shortValue = (value: unknown): string =>
  Array.isArray(value) ? `[${value.map((item) => valueText(item)).join(', ')}]` : valueText(value);
