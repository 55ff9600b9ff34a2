import { builder } from '../../graphql/builder.ts';
import { enumOf } from '../../graphql/enum.ts';

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
