import type { ConditionOperator } from '@agentlattice/contracts';

type Scalar = string | number | boolean | null;
export type ConditionValue = Scalar | Scalar[];

export const takesList = (operator: ConditionOperator): boolean => operator === 'in' || operator === 'not_in';

/** These compare texts only, so what is typed stays a text. */
const takesText: readonly ConditionOperator[] = ['starts_with', 'ends_with', 'matches'];

/**
 * The value that a person typed. Values are compared without conversion, so the type matters: `10` is a number, `true` is true, and
 * everything else is a text; quotation marks make a text of anything.
 */
export function readValue(operator: ConditionOperator, typed: string): ConditionValue {
  const text = typed.trim();
  if (operator === 'exists') return text !== 'false';
  if (takesText.includes(operator)) return quoted(text) ?? typed;
  return takesList(operator) ? readList(text) : readScalar(text);
}

/** What is typed to get this value again. */
export function typedValue(operator: ConditionOperator, value: ConditionValue): string {
  if (operator === 'exists') return value === false ? 'false' : 'true';
  if (Array.isArray(value)) {
    const parts = value.map(typedScalar);
    return parts.some((part, i) => typeof value[i] === 'string' && part.includes(','))
      ? JSON.stringify(value)
      : parts.join(', ');
  }
  if (takesText.includes(operator) && typeof value === 'string')
    return quoted(value.trim()) === undefined && value === value.trim() ? value : JSON.stringify(value);
  return typedScalar(value);
}

/** How the value will be compared, in words. */
export function valueNote(operator: ConditionOperator, typed: string): string {
  if (typed.trim() === '' || operator === 'exists') return '';
  const value = readValue(operator, typed);
  if (Array.isArray(value)) return `one of ${value.map(scalarNote).join(', ')}`;
  return scalarNote(value);
}

const scalarNote = (value: Scalar): string =>
  typeof value === 'number'
    ? `the number ${String(value)}`
    : typeof value === 'string'
      ? `the text “${value}”`
      : String(value);

function readScalar(text: string): Scalar {
  if (/^(true|false|null|-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?)$/.test(text))
    return JSON.parse(text) as Scalar;
  return quoted(text) ?? text;
}

function readList(text: string): Scalar[] {
  const list = text.startsWith('[') ? parsed(text) : undefined;
  if (Array.isArray(list) && list.every(isScalar)) return list;
  return text === '' ? [] : text.split(',').map((part) => readScalar(part.trim()));
}

const typedScalar = (value: Scalar): string =>
  typeof value === 'string' && (readScalar(value.trim()) !== value || value === '')
    ? JSON.stringify(value)
    : String(value);

/** The text in quotation marks; undefined when it has none. */
function quoted(text: string): string | undefined {
  const value = text.startsWith('"') ? parsed(text) : undefined;
  return typeof value === 'string' ? value : undefined;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const isScalar = (value: unknown): value is Scalar =>
  value === null || ['string', 'number', 'boolean'].includes(typeof value);
