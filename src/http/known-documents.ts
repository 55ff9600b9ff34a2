import { type DocumentNode, getOperationAST, type OperationDefinitionNode } from 'graphql';
import { LRUCache } from 'lru-cache';
import { schema } from '../api/schema.ts';
import { estimate } from '../graphql/cost.ts';
import { type OperationPlan, Planner } from '../graphql/execution/plan.ts';

type Variables = Readonly<Record<string, unknown>>;

/** A valid document, with what has to be worked out only once for all requests that send it. */
export class KnownDocument {
  readonly document: DocumentNode;
  readonly #operations = new Map<OperationDefinitionNode, KnownOperation>();

  constructor(document: DocumentNode) {
    this.document = document;
  }

  /** Null if it has no such operation, or several and no name was given. */
  operation(name: string | null | undefined): KnownOperation | null {
    const node = getOperationAST(this.document, name);
    if (!node) return null;
    const known = this.#operations.get(node);
    if (known) return known;
    const made = new KnownOperation(this.document, node);
    this.#operations.set(node, made);
    return made;
  }
}

export class KnownOperation {
  readonly document: DocumentNode;
  readonly node: OperationDefinitionNode;
  readonly #planner: Planner;
  /** Null if variables decide it. */
  #fixedCost: number | null = null;

  constructor(document: DocumentNode, node: OperationDefinitionNode) {
    this.document = document;
    this.node = node;
    this.#planner = new Planner(schema, document, node);
  }

  get type(): OperationDefinitionNode['operation'] {
    return this.node.operation;
  }

  /** @param variables  as the client sent them. */
  costWith(variables: Variables | null | undefined): number {
    if (this.#fixedCost !== null) return this.#fixedCost;
    const operationName = this.node.name?.value;
    const { cost, isFixed } = estimate(schema, { document: this.document, operationName, variables });
    if (isFixed) this.#fixedCost = cost;
    return cost;
  }

  /** @param variables  as GraphQL has coerced them. @returns null if GraphQL's own executor must run it. */
  planFor(variables: Variables): OperationPlan | null {
    return this.#planner.planFor(variables);
  }
}

const MAX_DOCUMENTS = 1000;
/** A document in memory is about a hundred times as long as its text. */
const MAX_CHARACTERS = 500_000;

/**
 * The valid documents of callers who are signed in, by their texts. Whether a document is valid depends on nothing else.
 * The most recently used ones are kept.
 */
export const knownDocuments = new LRUCache<string, KnownDocument>({
  max: MAX_DOCUMENTS,
  maxSize: MAX_CHARACTERS,
  sizeCalculation: (_document, text) => text.length,
});
