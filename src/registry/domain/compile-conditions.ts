import { entryOf } from '../../values/json.ts';
import {
  isNoneType,
  isOptionalType,
  type LiteralType,
  typeText,
  type Variable,
} from '../../values/literal-types.ts';
import { literalFromPlain } from '../../values/plain-values.ts';
import type { Place } from '../../values/problem-list.ts';
import { typeOfLiteral, typeOfPlain } from '../../values/type-of-literal.ts';
import type { BooleanExpression, Operand } from './workflow-templates.ts';

type Comparison = Extract<BooleanExpression, { comparison: object }>['comparison'];

/**
 * Checks a condition with the inputs of its branch, and turns plain values into literals.
 *
 * The operands of a comparison are primitive and have equal types; an enum counts as a text. An optional input may be
 * compared with NONE, by EQ and NEQ.
 *
 * Problems: `VariableNameNotFound`, `MismatchingTypes`, `InvalidValue`, and the problems of `literalFromPlain`.
 * Source: Flyte v1.16, `flytepropeller/pkg/compiler/validators/condition.go`.
 */
export function compileCondition(
  expression: BooleanExpression,
  variables: Readonly<Record<string, Variable>>,
  place: Place,
): BooleanExpression | undefined {
  if ('comparison' in expression)
    return compileComparison(expression.comparison, variables, place.at('comparison'));
  const { operator, leftExpression, rightExpression } = expression.conjunction;
  const at = place.at('conjunction');
  const left = compileCondition(leftExpression, variables, at.at('leftExpression'));
  const right = compileCondition(rightExpression, variables, at.at('rightExpression'));
  return left && right && { conjunction: { operator, leftExpression: left, rightExpression: right } };
}

function compileComparison(
  { operator, leftValue, rightValue }: Comparison,
  variables: Readonly<Record<string, Variable>>,
  place: Place,
): BooleanExpression | undefined {
  const [atLeft, atRight] = [place.at('leftValue'), place.at('rightValue')];
  const declared = [declaredType(leftValue, variables, atLeft), declaredType(rightValue, variables, atRight)];
  const left = compileOperand(leftValue, declared[0], declared[1], atLeft);
  const right = compileOperand(rightValue, declared[1], declared[0], atRight);
  if (left === undefined || right === undefined) return undefined;
  checkTypes(operator, left.type, right.type, place);
  return { comparison: { operator, leftValue: left.operand, rightValue: right.operand } };
}

/** The type of a variable or a literal. Undefined for a plain value, and for a problem, which is reported. */
function declaredType(
  operand: Operand,
  variables: Readonly<Record<string, Variable>>,
  place: Place,
): LiteralType | undefined {
  if ('literal' in operand) return typeOfLiteral(operand.literal);
  if ('value' in operand) return undefined;
  const variable = entryOf(variables, operand.var);
  return variable?.type ?? place.report('VariableNameNotFound', `the branch has no input ${operand.var}`);
}

/** @param other  the type of the other operand, which a plain value takes. */
function compileOperand(
  operand: Operand,
  declared: LiteralType | undefined,
  other: LiteralType | undefined,
  place: Place,
): { readonly operand: Operand; readonly type: LiteralType } | undefined {
  if (!('value' in operand)) return declared && { operand, type: declared };
  const isLikeOther = operand.value !== null && other !== undefined && primitiveKind(other) !== null;
  const type = isLikeOther ? other : typeOfPlain(operand.value);
  if (type === undefined) return place.report('MismatchingTypes', 'a list or an object cannot be compared');
  const literal = literalFromPlain(type, operand.value, place);
  return literal && { operand: { literal }, type };
}

function checkTypes(
  operator: Comparison['operator'],
  left: LiteralType,
  right: LiteralType,
  place: Place,
): void {
  const isWithNone =
    (isNoneType(left) && (isOptionalType(right) || isNoneType(right))) ||
    (isNoneType(right) && isOptionalType(left));
  if (isWithNone) {
    if (operator !== 'EQ' && operator !== 'NEQ')
      place.report('MismatchingTypes', `NONE can be compared only by EQ and NEQ, not by ${operator}`);
    return;
  }
  const [leftKind, rightKind] = [primitiveKind(left), primitiveKind(right)];
  if (leftKind === null || leftKind !== rightKind)
    place.report(
      'MismatchingTypes',
      `the operands must be primitive and have equal types, got ${typeText(left)} and ${typeText(right)}`,
    );
}

const primitives: ReadonlySet<string> = new Set([
  'INTEGER',
  'FLOAT',
  'STRING',
  'BOOLEAN',
  'DATETIME',
  'DURATION',
]);

function primitiveKind(type: LiteralType): string | null {
  if ('enumType' in type) return 'STRING';
  return 'simple' in type && primitives.has(type.simple) ? type.simple : null;
}
