import type { ConditionEvaluated } from '@agentlattice/contracts';
import { safeJson, safeText, shortText } from './safe-text.js';

/** A condition of a policy and whether it held. */
export const conditionText = ({ field, operator, expected, result }: ConditionEvaluated) =>
  `${result ? 'holds' : 'fails'}  ${safeText(field)} ${safeText(operator)} ${shortText(safeJson(expected ?? null), 120)}`;
