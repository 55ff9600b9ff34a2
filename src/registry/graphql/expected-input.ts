import { builder } from '../../graphql/builder.ts';
import { toPlain } from '../../values/plain-values.ts';
import type { ExpectedInput } from '../domain/launch-plan.ts';
import { LiteralTypeType } from './literal-type.ts';

type NamedInput = ExpectedInput & { readonly name: string };

/** Expected inputs as a list, in the order in which the workflow declares them. */
export const expectedInputsOf = (inputs: Readonly<Record<string, ExpectedInput>>): NamedInput[] =>
  Object.entries(inputs).map(([name, input]) => ({ name, ...input }));

export const ExpectedInputType = builder.objectRef<NamedInput>('ExpectedInput').implement({
  description: "An input that an execution of a launch plan may or must give. Source: Flyte's Parameter.",
  fields: (t) => ({
    name: t.exposeString('name', { description: 'The name of the input, as the workflow declares it.' }),
    type: t.field({
      type: 'JSON',
      description: "The type of the input as Flyte's LiteralType.",
      resolve: (input) => input.var.type,
    }),
    literalType: t.field({
      type: LiteralTypeType,
      description: 'The type of the input, field by field.',
      resolve: (input) => input.var.type,
    }),
    description: t.string({
      nullable: true,
      description: 'The meaning of the input, for people; null if the workflow gives none.',
      resolve: (input) => input.var.description ?? null,
    }),
    required: t.boolean({
      description: 'Whether every execution must give the input, because it has no default.',
      resolve: (input) => 'required' in input,
    }),
    default: t.field({
      type: 'JSON',
      nullable: true,
      description:
        'The default as a plain value: an execution gets it if it does not give the input. Null if the input is required, or if the default is no value (NONE).',
      resolve: (input) => ('default' in input ? toPlain(input.default) : null),
    }),
    defaultLiteral: t.field({
      type: 'JSON',
      nullable: true,
      description: "The default as Flyte's Literal. Null if the input is required.",
      resolve: (input) => ('default' in input ? input.default : null),
    }),
  }),
});
