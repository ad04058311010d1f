import { columnsText } from './columns.js';
import { noStyle, type Style } from './style.js';

export type Facts = readonly (readonly [name: string, value: string])[];

/** Facts about one thing, one a line; empty ones are left out. */
export const factsText = (facts: Facts, style: Style = noStyle): string =>
  columnsText(
    [{ head: '', paint: style.bold }, { head: '' }],
    facts.filter(([, value]) => value !== ''),
    Number.POSITIVE_INFINITY,
  ).replace(/^\s*\n/, '');
