import {
  coerceInputValue,
  GraphQLError,
  type GraphQLInputType,
  type GraphQLSchema,
  getNamedType,
  getNullableType,
  isEnumType,
  isInputObjectType,
  isInputType,
  isLeafType,
  isListType,
  isNonNullType,
  type OperationDefinitionNode,
  typeFromAST,
} from 'graphql';

/** Longer names of fields are cut in messages. */
const MAX_NAME = 100;
const MAX_WORDS = 500;
/** Input objects inside one another. Types and bindings, which hold themselves, have lower bounds of their own. */
const MAX_DEPTH = 256;

/**
 * The first fault of an operation's variables; null when they fit. GraphQL's own check goes on after a fault and prints
 * the whole value for each one: a caller could multiply that work at will. This one ends at the first fault, and makes
 * its text from the path and the type, never from the value.
 *
 * @param options.suggests  whether the text may name fields that look like an unknown one.
 */
export function variableFault(
  schema: GraphQLSchema,
  operation: OperationDefinitionNode,
  given: Readonly<Record<string, unknown>>,
  { suggests }: { readonly suggests: boolean },
): GraphQLError | null {
  for (const { variable, type: written, defaultValue } of operation.variableDefinitions ?? []) {
    const type = typeFromAST(schema, written);
    // Validation refuses any other type.
    if (!isInputType(type)) continue;
    const name = variable.name.value;
    if (!Object.hasOwn(given, name)) {
      if (isNonNullType(type) && !defaultValue) return faultAt([name], `a ${type} is required`);
      continue;
    }
    const value = given[name];
    try {
      coerceInputValue(
        value,
        type,
        (path, part, error) => {
          throw faultAt([name, ...path], wordsFor(typeAt(type, path), part, error), error.extensions);
        },
        !suggests,
      );
    } catch (error) {
      if (error instanceof GraphQLError) return error;
      // The check calls itself for each level of a type that holds itself: very deep values exhaust the stack.
      if (!(error instanceof RangeError)) throw error;
    }
    if (nestsDeeper(value, type, MAX_DEPTH))
      return faultAt([name], `the value is nested deeper than ${MAX_DEPTH} levels`);
  }
  return null;
}

/** Whether input objects nest deeper than that. What JSON holds is bounded by its scalar. */
function nestsDeeper(value: unknown, type: GraphQLInputType, levels: number): boolean {
  if (value === null || typeof value !== 'object') return false;
  const inner = getNullableType(type);
  if (isListType(inner))
    return (Array.isArray(value) ? value : [value]).some((item) => nestsDeeper(item, inner.ofType, levels));
  if (!isInputObjectType(inner)) return false;
  if (levels === 0) return true;
  const fields = Object.entries(inner.getFields());
  return fields.some(([name, field]) =>
    nestsDeeper((value as Record<string, unknown>)[name], field.type, levels - 1),
  );
}

function faultAt(path: readonly (string | number)[], words: string, extensions = {}): GraphQLError {
  const [variable = '', ...parts] = path.map((part) =>
    typeof part === 'number' ? part : cut(part, MAX_NAME),
  );
  const place = parts.map((part) => (typeof part === 'number' ? `[${part}]` : `.${part}`)).join('');
  return new GraphQLError(`${variable}${place}: ${words}`, {
    extensions: { code: 'INVALID_ARGUMENT', ...extensions, path: [variable, ...parts].map(String) },
  });
}

/** GraphQL's own words for a value of a built-in scalar or an enum print the value. Our scalars say what they take. */
function wordsFor(type: GraphQLInputType, value: unknown, error: GraphQLError): string {
  if (value === null || value === undefined) return 'the value must not be null';
  const named = getNamedType(type);
  if (isEnumType(named))
    return `the value must be one of ${named
      .getValues()
      .map(({ name }) => name)
      .join(', ')}`;
  const isOwn = 'code' in error.extensions;
  return isLeafType(named) && !isOwn ? `the value must be a valid ${named}` : cut(error.message, MAX_WORDS);
}

/** The type of a value inside a variable; what it is a list of, where GraphQL takes one value for a list of one. */
function typeAt(outermost: GraphQLInputType, path: readonly (string | number)[]): GraphQLInputType {
  return path.reduce<GraphQLInputType>((outer, part) => {
    let type: GraphQLInputType = getNullableType(outer);
    if (typeof part === 'number' && isListType(type)) return type.ofType;
    while (isListType(type)) type = getNullableType(type.ofType);
    return (isInputObjectType(type) && type.getFields()[part]?.type) || type;
  }, outermost);
}

const cut = (text: string, most: number) => (text.length > most ? `${text.slice(0, most)}…` : text);
