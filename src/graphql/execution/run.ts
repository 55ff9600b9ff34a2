import {
  defaultFieldResolver,
  type GraphQLError,
  type GraphQLResolveInfo,
  getArgumentValues,
  locatedError,
  type ResponsePath,
} from 'graphql';
import type { Complete } from './complete.ts';
import type { FieldPlan, OperationPlan } from './plan.ts';

export interface PlannedResult {
  readonly data: Record<string, unknown> | null;
  readonly errors?: readonly GraphQLError[];
  /** How many objects the answer has, without those of connections that only hold others. */
  readonly objects: number;
}

/** An object or a list of the answer that is being made, and its place in what contains it. */
export class Frame {
  readonly #value: Record<string | number, unknown>;
  readonly parent: Frame | null;
  readonly key: string | number;
  readonly isNullable: boolean;
  /** The type of the object; undefined for a list. */
  readonly typename: string | undefined;
  /** It has become null, so nothing in it will be seen. */
  isGone = false;
  #path: ResponsePath | undefined;

  constructor(
    value: object,
    parent: Frame | null,
    key: string | number,
    isNullable: boolean,
    typename: string | undefined,
  ) {
    this.#value = value as Record<string | number, unknown>;
    this.parent = parent;
    this.key = key;
    this.isNullable = isNullable;
    this.typename = typename;
  }

  put(key: string | number, value: unknown): void {
    this.#value[key] = value;
  }

  /** @returns true, because null is allowed here. */
  becomeNull(): true {
    this.isGone = true;
    this.parent?.put(this.key, null);
    return true;
  }

  /** Makes the innermost thing null that may be null and contains this place. */
  bubble(): void {
    for (let frame: Frame | null = this; frame; frame = frame.parent) {
      if (frame.isGone) return;
      frame.isGone = true;
      if (frame.isNullable) return void frame.becomeNull();
    }
  }

  get isUnseen(): boolean {
    for (let frame: Frame | null = this; frame; frame = frame.parent) if (frame.isGone) return true;
    return false;
  }

  pathTo(key: string | number): ResponsePath {
    return { prev: this.#own(), key, typename: this.typename };
  }

  #own(): ResponsePath | undefined {
    if (!this.parent) return undefined;
    this.#path ??= this.parent.pathTo(this.key);
    return this.#path;
  }
}

/** One run of a plan. */
export class Run {
  readonly plan: OperationPlan;
  readonly context: unknown;
  readonly variables: Readonly<Record<string, unknown>>;
  readonly #errors: GraphQLError[] = [];
  readonly #arguments: (Record<string, unknown> | undefined)[] = [];
  objects = 0;
  #pending = 0;
  #whenSettled: (() => void) | null = null;

  constructor(plan: OperationPlan, context: unknown, variables: Readonly<Record<string, unknown>>) {
    this.plan = plan;
    this.context = context;
    this.variables = variables;
  }

  /** Queries resolve their fields at the same time, mutations one after the other. */
  result(): PlannedResult | Promise<PlannedResult> {
    const data: Record<string, unknown> = {};
    const root = new Frame(data, null, '', true, this.plan.root.type.name);
    const answer = (): PlannedResult => ({
      data: root.isGone ? null : data,
      ...(this.#errors.length > 0 ? { errors: this.#errors } : {}),
      objects: this.objects,
    });
    if (this.plan.operation.operation === 'mutation') return this.#oneByOne(root).then(answer);
    for (const field of this.plan.root.fields)
      if (!runField(this, field, undefined, root)) {
        root.bubble();
        break;
      }
    return this.#pending === 0 ? answer() : this.#settled().then(answer);
  }

  async #oneByOne(root: Frame): Promise<void> {
    for (const field of this.plan.root.fields) {
      if (!runField(this, field, undefined, root)) root.bubble();
      if (this.#pending > 0) await this.#settled();
      if (root.isGone) return;
    }
  }

  #settled(): Promise<void> {
    return new Promise((resolve) => {
      this.#whenSettled = resolve;
    });
  }

  begin(): void {
    this.#pending += 1;
  }

  end(): void {
    this.#pending -= 1;
    if (this.#pending === 0) this.#whenSettled?.();
  }

  /** Arguments are the same for all objects of a level, so they are read once. @throws GraphQLError */
  argumentsOf({ argumentsAt: at, field, nodes: [node] }: FieldPlan): Record<string, unknown> {
    if (at === null || node === undefined) return noArguments;
    const known = this.#arguments[at];
    if (known) return known;
    const read = getArgumentValues(field, node, this.variables);
    this.#arguments[at] = read;
    return read;
  }

  /** @returns whether null is allowed in the place of the error. */
  fail(error: unknown, frame: Frame, key: string | number, field: FieldPlan, isNullable: boolean): boolean {
    if (!frame.isUnseen) this.#errors.push(locatedError(error, [...field.nodes], pathOf(frame, key)));
    if (isNullable) frame.put(key, null);
    return isNullable;
  }
}

const noArguments: Record<string, unknown> = Object.freeze({});

function pathOf(frame: Frame, key: string | number): (string | number)[] {
  const path = [key];
  for (let at: Frame = frame; at.parent; at = at.parent) path.unshift(at.key);
  return path;
}

export function isPromise(value: unknown): value is Promise<unknown> {
  return typeof (value as { readonly then?: unknown } | null | undefined)?.then === 'function';
}

/** Resolves a field of an object and completes its value. @returns as `Complete` does. */
export function runField(run: Run, field: FieldPlan, source: unknown, frame: Frame): boolean {
  const { key, isNullable, complete } = field;
  const { resolve } = field.field;
  let value: unknown;
  try {
    if (resolve && resolve !== defaultFieldResolver)
      value = resolve(
        source,
        run.argumentsOf(field),
        run.context,
        field.takesInfo ? infoOf(run, field, frame) : (undefined as never),
      );
    else {
      if (typeof source === 'object')
        value = (source as Readonly<Record<string, unknown>> | null)?.[field.field.name];
      if (typeof value === 'function')
        value = value.call(source, run.argumentsOf(field), run.context, infoOf(run, field, frame));
    }
  } catch (error) {
    return run.fail(error, frame, key, field, isNullable);
  }
  if (isPromise(value)) return later(run, value, complete, frame, key, field, isNullable);
  return complete(run, value, frame, key, field);
}

/** Completes a value when it is there. @returns true, because the place has no wrong value until then. */
export function later(
  run: Run,
  value: Promise<unknown>,
  complete: Complete,
  frame: Frame,
  key: string | number,
  field: FieldPlan,
  isNullable: boolean,
): true {
  // The order of the answer is that of the document.
  frame.put(key, null);
  run.begin();
  const finish = (isComplete: boolean) => {
    if (!isComplete) frame.bubble();
    run.end();
  };
  value.then(
    (found) => finish(complete(run, found, frame, key, field)),
    (error: unknown) => finish(run.fail(error, frame, key, field, isNullable)),
  );
  return true;
}

/** The `info` of a planned call has these two more: see selection.ts. */
export const runOfCall = Symbol('run');
export const fieldOfCall = Symbol('field');

export interface PlannedInfo extends GraphQLResolveInfo {
  readonly [runOfCall]: Run;
  readonly [fieldOfCall]: FieldPlan;
}

export function infoOf(run: Run, plan: FieldPlan, frame: Frame): PlannedInfo {
  const { field, nodes, parent, key } = plan;
  const { schema, operation, fragments } = run.plan;
  return {
    [runOfCall]: run,
    [fieldOfCall]: plan,
    fieldName: field.name,
    fieldNodes: nodes,
    returnType: field.type,
    parentType: parent,
    path: frame.pathTo(key),
    schema,
    fragments: fragments as GraphQLResolveInfo['fragments'],
    rootValue: undefined,
    operation,
    variableValues: run.variables as GraphQLResolveInfo['variableValues'],
  };
}
