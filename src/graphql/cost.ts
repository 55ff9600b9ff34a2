import {
  type DocumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  type GraphQLField,
  type GraphQLNamedType,
  type GraphQLSchema,
  getNamedType,
  getNullableType,
  getOperationAST,
  isAbstractType,
  isCompositeType,
  isEnumType,
  isInputObjectType,
  isInterfaceType,
  isListType,
  isObjectType,
  Kind,
  type OperationDefinitionNode,
  type SelectionNode,
  type SelectionSetNode,
  type ValueNode,
} from 'graphql';
import { DEFAULT_PAGE, MAX_PAGE } from './keyset.ts';

/**
 * The cost that an operation can have, computed from its document and variables before it runs: the number of objects
 * that it may make the server read.
 *
 *    a field that answers an object      1
 *    a list or a connection              1, and 1 for each row that it may have
 *    the fields of each row              once for each row: sizes multiply
 *    a mutation                          10, and the fields of its result
 *    introspection                       100 for each `__schema` or `__type`, and more for a large answer
 *    scalars, enums, `edges`, `node`     nothing
 *
 * Rows count even if they are not shown: the server reads a page even if only its `pageInfo` is selected. A connection
 * has `first`, or else `last`, or else as many rows as are usual for it, or else 25. Any other list of objects has its
 * `first`, or its field says how long it is: `extensions: { listSize: 10 }`, or `{ listSize: 'ids' }` for one object for
 * each entry of that argument; a test finds lists that do not say it. `extensions: { cost: 5 }` makes a field more
 * expensive. Fields that a document repeats count each time; fields that `@skip` or `@include` leave out do not count.
 */
export const MUTATION_COST = 10;
export const INTROSPECTION_COST = 100;

/** An operation that asks the schema for this many values costs 1 more, for twice as many 4 more. */
const VALUES_OF_COST_1 = 1275;

/** The size of a list whose field does not say how long it is. */
const UNKNOWN_LIST_SIZE = 100;

export interface Operation {
  readonly document: DocumentNode;
  readonly operationName?: string | null | undefined;
  /** As the client sent them, not yet checked. */
  readonly variables?: Readonly<Record<string, unknown>> | null | undefined;
}

/**
 * At least 1, always finite and safe to show. For an invalid document, it counts the fields that exist; if the document
 * has no such operation, the cost is 1.
 */
export const costOf = (schema: GraphQLSchema, operation: Operation): number =>
  estimate(schema, operation).cost;

/** The cost, and whether it is the same with all other variables. */
export function estimate(
  schema: GraphQLSchema,
  operation: Operation,
): { readonly cost: number; readonly isFixed: boolean } {
  const node = getOperationAST(operation.document, operation.operationName);
  const root = node && schema.getRootType(node.operation);
  if (!node || !root) return { cost: 1, isFixed: true };
  const walk = new Estimate(schema, operation, node);
  const cost = walk.ofSelection(node.selectionSet, root, 1) + walk.ofIntrospection();
  return { cost: Math.min(Math.max(cost, 1), Number.MAX_SAFE_INTEGER), isFixed: !walk.readsVariables };
}

/** How many rows a field may have; null if it is not a list of objects, or if a list does not say it. */
export function rowsOf(
  field: GraphQLField<unknown, unknown>,
  argument: (name: string) => unknown,
): number | null {
  if (field.args.some(({ name }) => name === 'first')) {
    const size = argument('first') ?? argument('last') ?? defaultFirst(field);
    // The field itself refuses a size that is not a number or out of bounds.
    return typeof size === 'number' ? Math.min(Math.max(size, 0), MAX_PAGE) : MAX_PAGE;
  }
  const { listSize } = field.extensions;
  if (!isListOfObjects(field)) return null;
  if (typeof listSize === 'string') return entriesOf(argument(listSize));
  return typeof listSize === 'number' ? listSize : null;
}

/** A single value means a list of one. */
const entriesOf = (given: unknown) => (Array.isArray(given) ? Math.min(given.length, MAX_PAGE) : 1);

export function isListOfObjects(field: GraphQLField<unknown, unknown>): boolean {
  return isListType(getNullableType(field.type)) && isCompositeType(getNamedType(field.type));
}

const defaultFirst = ({ args, extensions }: GraphQLField<unknown, unknown>) =>
  args.find(({ name }) => name === 'first')?.defaultValue ?? extensions['listSize'] ?? DEFAULT_PAGE;

export function isConnection(type: GraphQLNamedType): boolean {
  return isObjectType(type) && type.name.endsWith('Connection') && 'edges' in type.getFields();
}

/** The parts of a connection that are its rows: its `edges` and `nodes`, and the `node` of an edge. */
function isWrapper(parent: GraphQLNamedType, name: string): boolean {
  if (isConnection(parent)) return name === 'edges' || name === 'nodes' || name === 'pageInfo';
  return name === 'node' && parent.name.endsWith('Edge');
}

/** One walk through one operation. */
class Estimate {
  readonly #schema: GraphQLSchema;
  readonly #variables: Readonly<Record<string, unknown>>;
  readonly #fragments = new Map<string, FragmentDefinitionNode>();
  /**
   * By selection and rows. A selection that is still being counted counts nothing, because a fragment that spreads
   * itself is not valid.
   */
  readonly #known = new Map<SelectionSetNode, Map<number, number>>();

  /** How many values of the schema were asked for so far. */
  #introspected = 0;
  /** Whether a variable has decided a size or a condition so far. */
  readsVariables = false;

  constructor(schema: GraphQLSchema, { document, variables }: Operation, operation: OperationDefinitionNode) {
    this.#schema = schema;
    this.#variables = { ...defaultsOf(operation), ...variables };
    for (const definition of document.definitions)
      if (definition.kind === Kind.FRAGMENT_DEFINITION)
        this.#fragments.set(definition.name.value, definition);
  }

  /** @param rows  the number of rows of the connection whose fields are selected; 1 elsewhere. */
  ofSelection({ selections }: SelectionSetNode, type: GraphQLNamedType, rows: number): number {
    return selections
      .filter((selection) => this.#isIncluded(selection))
      .reduce((sum, selection) => sum + this.#ofOne(selection, type, rows), 0);
  }

  #ofOne(selection: SelectionNode, type: GraphQLNamedType, rows: number): number {
    if (selection.kind === Kind.FIELD) return this.#ofField(selection, type, rows);
    if (selection.kind === Kind.INLINE_FRAGMENT)
      return this.ofSelection(selection.selectionSet, this.#typeOf(selection, type), rows);
    const fragment = this.#fragments.get(selection.name.value);
    return fragment ? this.#ofFragment(fragment, type, rows) : 0;
  }

  /**
   * Each fragment is counted once, however often it is spread. Otherwise, nested spreads could be counted endlessly.
   */
  #ofFragment(fragment: FragmentDefinitionNode, type: GraphQLNamedType, rows: number): number {
    const known = this.#known.get(fragment.selectionSet) ?? new Map<number, number>();
    this.#known.set(fragment.selectionSet, known);
    const before = known.get(rows);
    if (before !== undefined) return before;
    known.set(rows, 0);
    const cost = this.ofSelection(fragment.selectionSet, this.#typeOf(fragment, type), rows);
    known.set(rows, cost);
    return cost;
  }

  #ofField(node: FieldNode, parent: GraphQLNamedType, rows: number): number {
    const name = node.name.value;
    if (name === '__schema' || name === '__type') {
      this.#introspected += this.#valuesOf(node, name);
      return INTROSPECTION_COST;
    }
    const field = isObjectType(parent) || isInterfaceType(parent) ? parent.getFields()[name] : undefined;
    if (!field) return 0;
    const type = getNamedType(field.type);
    if (isWrapper(parent, name)) {
      const times = name === 'edges' || name === 'nodes' ? rows : 1;
      return node.selectionSet ? times * this.ofSelection(node.selectionSet, type, 1) : 0;
    }
    const own = this.#ownCost(field, parent);
    if (!node.selectionSet) return own;
    const size =
      rowsOf(field, (argument) => this.#argument(node, argument)) ??
      (isListOfObjects(field) ? UNKNOWN_LIST_SIZE : null);
    if (size === null) return own + this.ofSelection(node.selectionSet, type, 1);
    if (isConnection(type)) return own + size + this.ofSelection(node.selectionSet, type, size);
    return own + size + size * this.ofSelection(node.selectionSet, type, 1);
  }

  /**
   * What the answers of introspection cost together. The usual query has about 160,000 values and costs 16,000. It grows
   * with the square, because no other request is answered while such an answer is made.
   */
  ofIntrospection(): number {
    return Math.floor((this.#introspected / VALUES_OF_COST_1) ** 2);
  }

  /** How many values the answer to a field of introspection may have, with lists of their usual length. */
  #valuesOf({ selectionSet }: FieldNode, name: string): number {
    const rows = usualSizes(this.#schema)[name] ?? 1;
    return rows * (1 + (selectionSet ? this.#valuesIn(selectionSet) : 0));
  }

  #valuesIn(selectionSet: SelectionSetNode): number {
    const known = this.#known.get(selectionSet)?.get(1);
    if (known !== undefined) return known;
    // A fragment that spreads itself counts nothing, as above.
    const costs = new Map([[1, 0]]);
    this.#known.set(selectionSet, costs);
    const count = selectionSet.selections
      .filter((selection) => this.#isIncluded(selection))
      .reduce((sum, selection) => {
        if (selection.kind === Kind.FIELD) return sum + this.#valuesOf(selection, selection.name.value);
        const inner =
          selection.kind === Kind.INLINE_FRAGMENT ? selection : this.#fragments.get(selection.name.value);
        return sum + (inner ? this.#valuesIn(inner.selectionSet) : 0);
      }, 0);
    costs.set(1, count);
    return count;
  }

  #ownCost(field: GraphQLField<unknown, unknown>, parent: GraphQLNamedType): number {
    const { cost } = field.extensions;
    if (typeof cost === 'number') return cost;
    if (parent === this.#schema.getMutationType()) return MUTATION_COST;
    return isCompositeType(getNamedType(field.type)) ? 1 : 0;
  }

  #argument(node: FieldNode, name: string): unknown {
    const given = node.arguments?.find((argument) => argument.name.value === name);
    return given && this.#valueOf(given.value);
  }

  #valueOf(value: ValueNode): unknown {
    if (value.kind !== Kind.VARIABLE) return literalOf(value);
    this.readsVariables = true;
    return this.#variables[value.name.value];
  }

  #isIncluded({ directives }: SelectionNode): boolean {
    return (directives ?? []).every((directive) => {
      const condition = directive.arguments?.find(({ name }) => name.value === 'if');
      const holds = condition && this.#valueOf(condition.value);
      if (directive.name.value === 'skip') return holds !== true;
      if (directive.name.value === 'include') return holds !== false;
      return true;
    });
  }

  #typeOf(
    { typeCondition }: { readonly typeCondition?: { readonly name: { readonly value: string } } | undefined },
    parent: GraphQLNamedType,
  ): GraphQLNamedType {
    return (typeCondition && this.#schema.getType(typeCondition.name.value)) ?? parent;
  }
}

/** How long the lists of introspection are: the types of a schema, and the mean of what a type or field has. */
function usualSizes(schema: GraphQLSchema): Readonly<Record<string, number>> {
  const known = sizesOf.get(schema);
  if (known) return known;
  const types = Object.values(schema.getTypeMap());
  const withFields = types.filter((type) => isObjectType(type) || isInterfaceType(type));
  const fields = withFields.flatMap((type) => Object.values(type.getFields()));
  const sizes = {
    types: types.length,
    directives: schema.getDirectives().length,
    fields: mean(withFields.map((type) => Object.keys(type.getFields()).length)),
    args: mean(fields.map(({ args }) => args.length)),
    interfaces: mean(withFields.map((type) => type.getInterfaces().length)),
    inputFields: mean(types.filter(isInputObjectType).map((type) => Object.keys(type.getFields()).length)),
    enumValues: mean(types.filter(isEnumType).map((type) => type.getValues().length)),
    possibleTypes: mean(types.filter(isAbstractType).map((type) => schema.getPossibleTypes(type).length)),
    // Most types are wrapped once or not at all.
    ofType: 0.5,
  };
  sizesOf.set(schema, sizes);
  return sizes;
}

const sizesOf = new WeakMap<GraphQLSchema, Readonly<Record<string, number>>>();

const mean = (sizes: readonly number[]) =>
  sizes.reduce((sum, size) => sum + size, 0) / Math.max(sizes.length, 1);

function defaultsOf({ variableDefinitions = [] }: OperationDefinitionNode): Record<string, unknown> {
  return Object.fromEntries(
    variableDefinitions.map(({ variable, defaultValue }) => [
      variable.name.value,
      defaultValue && literalOf(defaultValue),
    ]),
  );
}

/** The value of a literal, as far as sizes and conditions need it. */
function literalOf(value: ValueNode): unknown {
  if (value.kind === Kind.INT) return Number(value.value);
  if (value.kind === Kind.BOOLEAN) return value.value;
  if (value.kind === Kind.LIST) return value.values.map(literalOf);
  return value.kind === Kind.NULL ? null : undefined;
}
