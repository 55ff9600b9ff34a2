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

/** Messages cut longer names of fields. */
const MAX_NAME = 100;
const MAX_WORDS = 500;
/**
 * How deep input objects may be nested. Types and bindings, which contain themselves, have lower limits of their own.
 */
const MAX_DEPTH = 256;

/**
 * The first fault in the variables of an operation; null if they fit. GraphQL's own check continues after a fault and
 * prints the whole value for each fault, so a caller could cause any amount of work. This check ends at the first
 * fault, and its message contains the path and the type, never the value.
 *
 * @param options.suggests whether the message may suggest fields with similar names.
 */
export function variableFault(
  schema: GraphQLSchema,
  operation: OperationDefinitionNode,
  given: Readonly<Record<string, unknown>>,
  { suggests }: { readonly suggests: boolean },
): GraphQLError | null {
  for (const { variable, type: written, defaultValue } of operation.variableDefinitions ?? []) {
    const type = typeFromAST(schema, written);
    // Validation refuses all other types.
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
      // The check calls itself for each level of a type that contains itself, so very deep values exhaust the stack.
      if (!(error instanceof RangeError)) throw error;
    }
    if (nestsDeeper(value, type, MAX_DEPTH))
      return faultAt([name], `the value is nested deeper than ${MAX_DEPTH} levels`);
  }
  return null;
}

/** Whether input objects are nested deeper than this. The JSON scalar limits its own contents. */
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

/** GraphQL's own message for a wrong built-in scalar or enum contains the value. The messages of our scalars do not. */
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

/**
 * The type of a value inside a variable. If GraphQL accepts one value for a list of one, it is the type of the list's
 * items.
 */
function typeAt(outermost: GraphQLInputType, path: readonly (string | number)[]): GraphQLInputType {
  return path.reduce<GraphQLInputType>((outer, part) => {
    let type: GraphQLInputType = getNullableType(outer);
    if (typeof part === 'number' && isListType(type)) return type.ofType;
    while (isListType(type)) type = getNullableType(type.ofType);
    return (isInputObjectType(type) && type.getFields()[part]?.type) || type;
  }, outermost);
}

const cut = (text: string, most: number) => (text.length > most ? `${text.slice(0, most)}…` : text);
