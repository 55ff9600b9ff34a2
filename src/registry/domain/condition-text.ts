import { toPlain } from '../../values/plain-values.ts';
import type { BooleanExpression, comparisonOperators, Operand } from './workflow-templates.ts';

const signs: Readonly<Record<(typeof comparisonOperators)[number], string>> = {
  EQ: '==',
  NEQ: '!=',
  GT: '>',
  GTE: '>=',
  LT: '<',
  LTE: '<=',
};

/** A condition may combine thousands of others. */
const MAX_TEXT = 500;

/** The text of a condition for people: `rows > 100 and (mode == "fast" or mode == "slow")`. Long texts are cut. */
export function conditionText(condition: BooleanExpression): string {
  let text = '';
  for (const part of conditionParts(condition, false)) {
    text += part;
    if (text.length > MAX_TEXT) return `${text.slice(0, MAX_TEXT)}…`;
  }
  return text;
}

function* conditionParts(condition: BooleanExpression, isInside: boolean): Generator<string> {
  if ('comparison' in condition) {
    const { operator, leftValue, rightValue } = condition.comparison;
    yield `${operandText(leftValue)} ${signs[operator]} ${operandText(rightValue)}`;
    return;
  }
  const { operator, leftExpression, rightExpression } = condition.conjunction;
  if (isInside) yield '(';
  yield* conditionParts(leftExpression, true);
  yield ` ${operator.toLowerCase()} `;
  yield* conditionParts(rightExpression, true);
  if (isInside) yield ')';
}

function operandText(operand: Operand): string {
  if ('var' in operand) return operand.var;
  return JSON.stringify('literal' in operand ? toPlain(operand.literal) : operand.value);
}
