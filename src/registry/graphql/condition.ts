import { builder } from '../../graphql/builder.ts';
import { enumOf } from '../../graphql/enum.ts';
import { toPlain } from '../../values/plain-values.ts';
import { conditionText } from '../domain/condition-text.ts';
import type { BooleanExpression, Operand } from '../domain/workflow-templates.ts';

const OperandInput = builder.inputType('OperandInput', {
  description: 'One side of a comparison.',
  isOneOf: true,
  fields: (t) => ({
    var: t.string({ description: 'The name of an input of the branch.' }),
    value: t.field({ type: 'JSON', description: 'A plain value of the type of the other side.' }),
    literal: t.field({ type: 'JSON', description: "A value as Flyte's Literal. NONE is one, too." }),
  }),
});

const ComparisonOperatorEnum = enumOf('ComparisonOperator', 'How two values are compared.', {
  EQ: 'Equal.',
  NEQ: 'Not equal.',
  GT: 'Greater.',
  GTE: 'Greater or equal.',
  LT: 'Less.',
  LTE: 'Less or equal.',
});

const ConjunctionOperatorEnum = enumOf('ConjunctionOperator', 'How two conditions are combined.', {
  AND: 'Both must hold.',
  OR: 'At least one must hold.',
});

const ComparisonInput = builder.inputType('ComparisonInput', {
  description: 'A comparison of two primitive values of the same type.',
  fields: (t) => ({
    operator: t.field({
      type: ComparisonOperatorEnum,
      required: true,
      description: 'How they are compared.',
    }),
    leftValue: t.field({ type: OperandInput, required: true, description: 'The value on the left.' }),
    rightValue: t.field({ type: OperandInput, required: true, description: 'The value on the right.' }),
  }),
});

export interface BooleanExpressionFields {
  readonly comparison?: object | null;
  readonly conjunction?: {
    readonly operator: 'AND' | 'OR';
    readonly leftExpression: BooleanExpressionFields;
    readonly rightExpression: BooleanExpressionFields;
  } | null;
}

export const BooleanExpressionInput = builder
  .inputRef<BooleanExpressionFields>('BooleanExpressionInput')
  .implement({
    description: 'A condition: a comparison, or two conditions combined.',
    isOneOf: true,
    fields: (t) => ({
      comparison: t.field({ type: ComparisonInput, description: 'Two values are compared.' }),
      conjunction: t.field({ type: ConjunctionInput, description: 'Two conditions are combined.' }),
    }),
  });

const ConjunctionInput = builder
  .inputRef<NonNullable<BooleanExpressionFields['conjunction']>>('ConjunctionInput')
  .implement({
    description: 'Two conditions, combined by AND or OR.',
    fields: (t) => ({
      operator: t.field({
        type: ConjunctionOperatorEnum,
        required: true,
        description: 'How they are combined.',
      }),
      leftExpression: t.field({
        type: BooleanExpressionInput,
        required: true,
        description: 'The first condition.',
      }),
      rightExpression: t.field({
        type: BooleanExpressionInput,
        required: true,
        description: 'The second condition.',
      }),
    }),
  });

const OperandType = builder.objectRef<Operand>('Operand').implement({
  description: 'One side of a comparison: an input of the branch, or a value.',
  fields: (t) => ({
    var: t.field({
      type: 'String',
      nullable: true,
      description: 'The name of an input of the branch; null for a value.',
      resolve: (operand) => ('var' in operand ? operand.var : null),
    }),
    literal: t.field({
      type: 'JSON',
      nullable: true,
      description: "The value as Flyte's Literal; null for an input of the branch.",
      resolve: (operand) => ('literal' in operand ? operand.literal : null),
    }),
    value: t.field({
      type: 'JSON',
      nullable: true,
      description: 'The value of `literal` as a plain value. Null also stands for no value (NONE).',
      resolve: (operand) => ('literal' in operand ? toPlain(operand.literal) : null),
    }),
  }),
});

type Comparison = Extract<BooleanExpression, { comparison: object }>['comparison'];
type Conjunction = Extract<BooleanExpression, { conjunction: object }>['conjunction'];

const ComparisonType = builder.objectRef<Comparison>('Comparison').implement({
  description: 'A comparison of two primitive values of the same type.',
  fields: (t) => ({
    operator: t.expose('operator', { type: ComparisonOperatorEnum, description: 'How they are compared.' }),
    leftValue: t.expose('leftValue', { type: OperandType, description: 'The value on the left.' }),
    rightValue: t.expose('rightValue', { type: OperandType, description: 'The value on the right.' }),
  }),
});

/** Recursive, so its type is written before it is described. */
export const BooleanExpressionType = builder.objectRef<BooleanExpression>('BooleanExpression');

const ConjunctionType = builder.objectRef<Conjunction>('Conjunction').implement({
  description: 'Two conditions, combined by AND or OR.',
  fields: (t) => ({
    operator: t.expose('operator', { type: ConjunctionOperatorEnum, description: 'How they are combined.' }),
    leftExpression: t.expose('leftExpression', {
      type: BooleanExpressionType,
      description: 'The first condition.',
    }),
    rightExpression: t.expose('rightExpression', {
      type: BooleanExpressionType,
      description: 'The second condition.',
    }),
  }),
});

BooleanExpressionType.implement({
  description: 'A condition: a comparison, or two conditions combined. Exactly one of the two is not null.',
  fields: (t) => ({
    text: t.string({
      description:
        'The condition as people write it: `rows > 100 and (mode == "fast" or mode == "slow")`. A text of more than 500 characters is cut.',
      resolve: conditionText,
    }),
    comparison: t.field({
      type: ComparisonType,
      nullable: true,
      description: 'Set if two values are compared.',
      resolve: (condition) => ('comparison' in condition ? condition.comparison : null),
    }),
    conjunction: t.field({
      type: ConjunctionType,
      nullable: true,
      description: 'Set if two conditions are combined.',
      resolve: (condition) => ('conjunction' in condition ? condition.conjunction : null),
    }),
  }),
});
