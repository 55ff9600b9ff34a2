import type { BooleanExpression, Operand } from '../../registry/domain/workflow-templates.ts';
import { durationNanoseconds } from '../../values/durations.ts';
import { entryOf } from '../../values/json.ts';
import type { Literal, LiteralMap, Primitive } from '../../values/literals.ts';

type Comparison = Extract<BooleanExpression, { comparison: object }>['comparison'];

/**
 * Whether a compiled condition holds for the inputs of its branch. Integers are compared exactly and instants by time.
 * NaN differs from everything, itself included. Source: Flyte v1.16, `flytepropeller/pkg/controller/nodes/branch`.
 */
export function holds(expression: BooleanExpression, inputs: LiteralMap): boolean {
  if ('comparison' in expression) return compare(expression.comparison, inputs);
  const { operator, leftExpression, rightExpression } = expression.conjunction;
  return operator === 'AND'
    ? holds(leftExpression, inputs) && holds(rightExpression, inputs)
    : holds(leftExpression, inputs) || holds(rightExpression, inputs);
}

function compare({ operator, leftValue, rightValue }: Comparison, inputs: LiteralMap): boolean {
  const [left, right] = [operandValue(leftValue, inputs), operandValue(rightValue, inputs)];
  if (operator === 'EQ') return left === right;
  if (operator === 'NEQ') return left !== right;
  // The compiler lets only values of one type come here.
  if (left === null || right === null) throw new Error('NONE can only be equal or not');
  if (operator === 'GT') return left > right;
  if (operator === 'GTE') return left >= right;
  return operator === 'LT' ? left < right : left <= right;
}

/** A value that can be compared with others of its type; null for NONE. */
type Comparable = bigint | number | string | boolean | null;

function operandValue(operand: Operand, inputs: LiteralMap): Comparable {
  if ('literal' in operand) return comparable(operand.literal);
  const literal = 'var' in operand ? entryOf(inputs, operand.var) : undefined;
  if (literal === undefined) throw new Error('the condition was compiled for other inputs');
  return comparable(literal);
}

function comparable(literal: Literal): Comparable {
  if (!('scalar' in literal)) return someValue;
  const { scalar } = literal;
  if ('union' in scalar) return comparable(scalar.union.value);
  if ('noneType' in scalar) return null;
  if ('primitive' in scalar) return comparablePrimitive(scalar.primitive);
  return someValue;
}

/** Stands for a value of which only counts whether there is one: the compiler lets it be compared only with NONE. */
const someValue = 'some value';

function comparablePrimitive(primitive: Primitive): Comparable {
  if ('integer' in primitive) return BigInt(primitive.integer);
  if ('floatValue' in primitive) return Number(primitive.floatValue);
  if ('stringValue' in primitive) return primitive.stringValue;
  if ('boolean' in primitive) return primitive.boolean;
  // Without the Z, the order of the texts is the order of the instants.
  if ('datetime' in primitive) return primitive.datetime.replace('Z', '');
  return durationNanoseconds(primitive.duration) ?? 0n;
}
