import {
  type GraphQLField,
  type GraphQLSchema,
  getNamedType,
  isInputObjectType,
  isObjectType,
  isRequiredInputField,
  isUnionType,
} from 'graphql';

/**
 * Makes texts that the builder gives to many fields say what each of them is about: the type whose objects a list has,
 * the mutation that an input or a result belongs to, and what the input requires.
 */
export function nameSubjects(schema: GraphQLSchema): void {
  for (const type of Object.values(schema.getTypeMap())) {
    if (!isObjectType(type)) continue;
    const fields = Object.values(type.getFields());
    const node = nodeOf(type.name);
    if (node) for (const field of fields) nameObjects(field, node);
    for (const field of fields) namePages(field);
  }
  for (const mutation of Object.values(schema.getMutationType()?.getFields() ?? {})) nameMutation(mutation);
}

/** Of `QueueConnection` and `QueueEdge`: `Queue`. */
const nodeOf = (name: string) => /^(.+)(?:Connection|Edge)$/.exec(name)?.[1];

function nameObjects(described: { description?: string | null | undefined }, node: string): void {
  described.description = described.description?.replace(/\bobjects?\b/, `${node} $&`);
}

/** The arguments of a list that choose the page. */
function namePages({ type, args }: GraphQLField<unknown, unknown>): void {
  const node = nodeOf(getNamedType(type).name);
  if (!node) return;
  for (const argument of args)
    if (['first', 'after', 'last', 'before'].includes(argument.name)) nameObjects(argument, node);
}

function nameMutation({ name, type, args }: GraphQLField<unknown, unknown>): void {
  const result = getNamedType(type);
  if (isUnionType(result)) result.description = result.description?.replace('the mutation', `\`${name}\``);
  for (const argument of args) {
    const input = getNamedType(argument.type);
    const text = argument.description?.replace('the mutation', `\`${name}\``);
    // A text of its own stays as it is.
    if (!isInputObjectType(input) || text === argument.description) continue;
    const required = Object.values(input.getFields()).filter(isRequiredInputField);
    argument.description = `${text} ${requirement(required.map((field) => `\`${field.name}\``))}`;
  }
}

function requirement(names: readonly string[]): string {
  if (names.length === 0) return 'None of its fields is required.';
  if (names.length === 1) return `${names[0]} is required.`;
  return `${names.slice(0, -1).join(', ')} and ${names.at(-1)} are required.`;
}
