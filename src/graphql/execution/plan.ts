import {
  type DocumentNode,
  defaultFieldResolver,
  type FieldNode,
  type FragmentDefinitionNode,
  type GraphQLField,
  GraphQLIncludeDirective,
  type GraphQLObjectType,
  type GraphQLOutputType,
  type GraphQLSchema,
  GraphQLSkipDirective,
  getDirectiveValues,
  getNamedType,
  getNullableType,
  isAbstractType,
  isLeafType,
  isListType,
  isNonNullType,
  isObjectType,
  Kind,
  type OperationDefinitionNode,
  SchemaMetaFieldDef,
  type SelectionNode,
  type SelectionSetNode,
  TypeMetaFieldDef,
  TypeNameMetaFieldDef,
  typeFromAST,
} from 'graphql';
import {
  type Complete,
  completeAbstract,
  completeLeaf,
  completeList,
  completeObject,
  countsAs,
} from './complete.ts';

/**
 * The plan of an operation is what GraphQL's own executor works out again for each object of an answer: the fields of
 * each type in their order, how each field is resolved, and how its value becomes a part of the answer. It is made once
 * for a document, and run.ts runs it.
 */

type Variables = Readonly<Record<string, unknown>>;

/** What a selection asks of the objects of one type, in the order of the answer. */
export interface SelectionPlan {
  readonly type: GraphQLObjectType;
  readonly fields: readonly FieldPlan[];
}

export interface FieldPlan {
  /** The name in the answer. */
  readonly key: string;
  readonly parent: GraphQLObjectType;
  readonly field: GraphQLField<unknown, unknown>;
  /** The field in the document: more than once if the document repeats it. */
  readonly nodes: readonly FieldNode[];
  /** Whether the resolver has a parameter for the `info` of the call. */
  readonly takesInfo: boolean;
  /** The place of its arguments among those of one run; null if it has no arguments. */
  readonly argumentsAt: number | null;
  readonly isNullable: boolean;
  readonly complete: Complete;
  /** The selection inside of its objects; null if it has none, or if it may have objects of several types. */
  readonly inside: (() => SelectionPlan) | null;
  /** Whether an object in this place counts in the cost of an answer. */
  readonly counts: boolean;
}

/** The plan for one combination of what `@skip` and `@include` decide. */
export interface OperationPlan {
  readonly root: SelectionPlan;
  readonly schema: GraphQLSchema;
  readonly operation: OperationDefinitionNode;
  readonly fragments: Readonly<Record<string, FragmentDefinitionNode>>;
}

/** Each operation keeps the plans of so many combinations of its conditions. Others are made for each request. */
const MAX_VARIANTS = 16;

/** Plans one operation of a valid document. */
export class Planner {
  readonly schema: GraphQLSchema;
  readonly operation: OperationDefinitionNode;
  readonly fragments: Record<string, FragmentDefinitionNode> = Object.create(null);
  /** The variables that `@skip` and `@include` look at. */
  readonly #conditions: readonly string[];
  readonly #variants = new Map<string, OperationPlan>();

  constructor(schema: GraphQLSchema, document: DocumentNode, operation: OperationDefinitionNode) {
    this.schema = schema;
    this.operation = operation;
    for (const definition of document.definitions)
      if (definition.kind === Kind.FRAGMENT_DEFINITION) this.fragments[definition.name.value] = definition;
    this.#conditions = conditionsIn(document);
  }

  /**
   * @param variables  as GraphQL has coerced them.
   * @returns null if there is no plan, and GraphQL's own executor must run the operation.
   */
  planFor(variables: Variables): OperationPlan | null {
    if (this.#conditions.some((name) => typeof variables[name] !== 'boolean')) return null;
    const variant = this.#conditions.map((name) => (variables[name] === true ? '1' : '0')).join('');
    const known = this.#variants.get(variant);
    if (known) return known;
    const type = this.schema.getRootType(this.operation.operation);
    if (!type) return null;
    const { schema, operation, fragments } = this;
    try {
      const builder = new PlanBuilder(schema, fragments, variables);
      const root = builder.selection(type, [operation.selectionSet]);
      const plan = { root, schema, operation, fragments };
      if (this.#variants.size < MAX_VARIANTS) this.#variants.set(variant, plan);
      return plan;
    } catch (error) {
      if (error instanceof NoPlan) return null;
      throw error;
    }
  }
}

/** The document has something for which there is no plan. */
class NoPlan extends Error {}

function conditionsIn(document: DocumentNode): string[] {
  const names = new Set<string>();
  const look = ({ selections }: SelectionSetNode): void => {
    for (const selection of selections) {
      for (const directive of selection.directives ?? [])
        for (const { value } of directive.arguments ?? [])
          if (value.kind === Kind.VARIABLE) names.add(value.name.value);
      if ('selectionSet' in selection && selection.selectionSet) look(selection.selectionSet);
    }
  };
  for (const definition of document.definitions)
    if ('selectionSet' in definition) look(definition.selectionSet);
  return [...names].sort();
}

class PlanBuilder {
  readonly schema: GraphQLSchema;
  readonly #fragments: Readonly<Record<string, FragmentDefinitionNode>>;
  readonly #variables: Variables;
  #argumentCount = 0;

  constructor(
    schema: GraphQLSchema,
    fragments: Readonly<Record<string, FragmentDefinitionNode>>,
    variables: Variables,
  ) {
    this.schema = schema;
    this.#fragments = fragments;
    // Only its conditions count here, and each combination of them has its own plan.
    this.#variables = variables;
  }

  selection(type: GraphQLObjectType, sets: readonly SelectionSetNode[]): SelectionPlan {
    const found = new Map<string, FieldNode[]>();
    const visited = new Set<string>();
    for (const set of sets) this.#collect(type, set, found, visited);
    const fields = [...found].flatMap(([key, nodes]) => this.#field(type, key, nodes) ?? []);
    return { type, fields };
  }

  #collect(
    type: GraphQLObjectType,
    { selections }: SelectionSetNode,
    found: Map<string, FieldNode[]>,
    visited: Set<string>,
  ): void {
    for (const selection of selections) {
      if (!this.#isIncluded(selection)) continue;
      if (selection.kind === Kind.FIELD) {
        const key = selection.alias?.value ?? selection.name.value;
        const nodes = found.get(key);
        if (nodes) nodes.push(selection);
        else found.set(key, [selection]);
        continue;
      }
      const isSpread = selection.kind === Kind.FRAGMENT_SPREAD;
      if (isSpread && visited.has(selection.name.value)) continue;
      if (isSpread) visited.add(selection.name.value);
      const part = isSpread ? this.#fragments[selection.name.value] : selection;
      if (part && this.#applies(part, type)) this.#collect(type, part.selectionSet, found, visited);
    }
  }

  #isIncluded(node: SelectionNode): boolean {
    if (!node.directives?.length) return true;
    const skip = getDirectiveValues(GraphQLSkipDirective, node, this.#variables);
    if (skip?.['if'] === true) return false;
    return getDirectiveValues(GraphQLIncludeDirective, node, this.#variables)?.['if'] !== false;
  }

  #applies(
    { typeCondition }: Partial<Pick<FragmentDefinitionNode, 'typeCondition'>>,
    type: GraphQLObjectType,
  ): boolean {
    if (!typeCondition) return true;
    const conditional = typeFromAST(this.schema, typeCondition);
    if (conditional === type) return true;
    return isAbstractType(conditional) && this.schema.isSubType(conditional, type);
  }

  #field(parent: GraphQLObjectType, key: string, nodes: readonly FieldNode[]): FieldPlan | null {
    // An object of the answer could not have this key of its own.
    if (key === '__proto__') throw new NoPlan();
    const name = (nodes[0] as FieldNode).name.value;
    const field = this.#definition(parent, name);
    if (!field) return null;
    const { resolve = defaultFieldResolver } = field;
    const type = getNamedType(field.type);
    const sets = nodes.flatMap(({ selectionSet }) => selectionSet ?? []);
    const inside = isObjectType(type) ? this.#lazily(type, sets) : null;
    return {
      ...{ key, parent, field, nodes, counts: countsAs(key) },
      // A resolver that counts its arguments has three at most. A test looks for resolvers that hide some.
      takesInfo: resolve.length === 0 || resolve.length > 3,
      argumentsAt: field.args.length === 0 ? null : this.#argumentCount++,
      isNullable: !isNonNullType(field.type),
      complete: this.#completing(field.type, sets, inside),
      inside,
    };
  }

  #definition(parent: GraphQLObjectType, name: string): GraphQLField<unknown, unknown> | undefined {
    if (name === TypeNameMetaFieldDef.name) return TypeNameMetaFieldDef;
    if (parent === this.schema.getQueryType()) {
      if (name === SchemaMetaFieldDef.name) return SchemaMetaFieldDef;
      if (name === TypeMetaFieldDef.name) return TypeMetaFieldDef;
    }
    return parent.getFields()[name];
  }

  #completing(
    outer: GraphQLOutputType,
    sets: readonly SelectionSetNode[],
    inside: FieldPlan['inside'],
  ): Complete {
    const isNullable = !isNonNullType(outer);
    const type = getNullableType(outer) as GraphQLOutputType;
    if (isListType(type)) {
      const isItemNullable = !isNonNullType(type.ofType);
      return completeList(this.#completing(type.ofType, sets, inside), isItemNullable, isNullable);
    }
    if (isLeafType(type)) return completeLeaf(type, isNullable);
    if (isObjectType(type) && inside) return completeObject(inside, type, isNullable);
    if (!isAbstractType(type)) throw new NoPlan();
    const byType = new Map<GraphQLObjectType, SelectionPlan>();
    const selectionOf = (actual: GraphQLObjectType): SelectionPlan => {
      const known = byType.get(actual);
      if (known) return known;
      const made = this.selection(actual, sets);
      byType.set(actual, made);
      return made;
    };
    return completeAbstract(selectionOf, type, isNullable);
  }

  /** A plan is made when the first object is there, because many parts of large documents have none. */
  #lazily(type: GraphQLObjectType, sets: readonly SelectionSetNode[]): () => SelectionPlan {
    let made: SelectionPlan | undefined;
    return () => (made ??= this.selection(type, sets));
  }
}
