import {
  defaultTypeResolver,
  type GraphQLAbstractType,
  GraphQLError,
  GraphQLID,
  type GraphQLLeafType,
  type GraphQLObjectType,
  GraphQLString,
  isObjectType,
} from 'graphql';
import type { FieldPlan, SelectionPlan } from './plan.ts';
import { Frame, infoOf, isPromise, later, type Run, runField } from './run.ts';

/**
 * Makes a part of the answer from a value, and puts it into its place.
 *
 * @returns whether the place has a value that its type allows. If not, the error is noted, and what contains the place
 * becomes null.
 */
export type Complete = (
  run: Run,
  value: unknown,
  frame: Frame,
  key: string | number,
  field: FieldPlan,
) => boolean;

/** Null, or an error that a resolver returned, or else what `complete` makes of the value. */
function checked(isNullable: boolean, complete: Complete): Complete {
  return (run, value, frame, key, field) => {
    try {
      if (value instanceof Error) throw value;
      if (value !== null && value !== undefined) return complete(run, value, frame, key, field);
      if (!isNullable)
        throw new GraphQLError(
          `Cannot return null for non-nullable field ${field.parent.name}.${field.field.name}.`,
        );
      frame.put(key, null);
      return true;
    } catch (error) {
      return run.fail(error, frame, key, field, isNullable);
    }
  };
}

export function completeLeaf(type: GraphQLLeafType, isNullable: boolean): Complete {
  const isText = type === GraphQLString || type === GraphQLID;
  return checked(isNullable, (run, value, frame, key, field) => {
    if (isText && typeof value === 'string') {
      frame.put(key, value);
      return true;
    }
    const serialized: unknown = type.serialize(value);
    if (serialized === null || serialized === undefined)
      throw new Error(
        `Expected \`${type}.serialize(${shown(value)})\` to return non-nullable value, returned: ${serialized}`,
      );
    if (typeof serialized === 'object') run.objects += objectsIn(serialized, field.key);
    frame.put(key, serialized);
    return true;
  });
}

/** Whether an object with this name counts. The parts of connections only hold other objects. */
export const countsAs = (key: string): boolean => key !== 'edges' && key !== 'pageInfo';

/** The number of objects that count in a part of an answer. */
export function objectsIn(value: unknown, key = ''): number {
  if (value === null || typeof value !== 'object') return 0;
  if (Array.isArray(value)) return value.reduce((sum: number, one) => sum + objectsIn(one, key), 0);
  const own = countsAs(key) ? 1 : 0;
  return Object.entries(value).reduce((sum, [name, one]) => sum + objectsIn(one, name), own);
}

export function completeList(item: Complete, isItemNullable: boolean, isNullable: boolean): Complete {
  return checked(isNullable, (run, value, frame, key, field) => {
    if (typeof value !== 'object' || !(Symbol.iterator in (value as object)))
      throw new GraphQLError(
        `Expected Iterable, but did not find one for field "${field.parent.name}.${field.field.name}".`,
      );
    const list: unknown[] = [];
    const inside = new Frame(list, frame, key, isNullable, undefined);
    frame.put(key, list);
    let at = 0;
    let isComplete = true;
    for (const one of value as Iterable<unknown>) {
      if (isPromise(one)) {
        // After a fault, nobody waits for the rest, and a promise that fails unseen would end the process.
        if (isComplete) later(run, one, item, inside, at, field, isItemNullable);
        else one.then(undefined, () => {});
      } else if (isComplete) isComplete = item(run, one, inside, at, field);
      at += 1;
    }
    if (isComplete) return true;
    return isNullable ? inside.becomeNull() : false;
  });
}

export function completeObject(
  selection: () => SelectionPlan,
  type: GraphQLObjectType,
  isNullable: boolean,
): Complete {
  return checked(isNullable, (run, value, frame, key, field) =>
    fillIfOfType(run, value, type, selection, frame, key, field, isNullable),
  );
}

/** Most types have no `isTypeOf`, and then every value is of the type. */
function fillIfOfType(
  run: Run,
  value: unknown,
  type: GraphQLObjectType,
  selection: () => SelectionPlan,
  frame: Frame,
  key: string | number,
  field: FieldPlan,
  isNullable: boolean,
): boolean {
  if (!type.isTypeOf) return fillObject(run, value, selection(), frame, key, field, isNullable);
  const decide = (isOfType: unknown): boolean => {
    if (!isOfType)
      throw new GraphQLError(`Expected value of type "${type}" but got: ${shown(value)}.`, {
        nodes: field.nodes,
      });
    return fillObject(run, value, selection(), frame, key, field, isNullable);
  };
  const isOfType = type.isTypeOf(value, run.context, infoOf(run, field, frame));
  if (!isPromise(isOfType)) return decide(isOfType);
  const complete = checked(isNullable, (_run, verdict) => decide((verdict as { readonly is: boolean }).is));
  return later(
    run,
    isOfType.then((is) => ({ is })),
    complete,
    frame,
    key,
    field,
    isNullable,
  );
}

/** Values are not shown, because an error may be logged. */
const shown = (value: unknown) => (typeof value === 'object' ? 'an object' : `a ${typeof value}`);

function fillObject(
  run: Run,
  source: unknown,
  { type, fields }: SelectionPlan,
  frame: Frame,
  key: string | number,
  field: FieldPlan,
  isNullable: boolean,
): boolean {
  const object = {};
  const inside = new Frame(object, frame, key, isNullable, type.name);
  frame.put(key, object);
  if (field.counts) run.objects += 1;
  for (const one of fields)
    if (!runField(run, one, source, inside)) return isNullable ? inside.becomeNull() : false;
  return true;
}

export function completeAbstract(
  selectionOf: (type: GraphQLObjectType) => SelectionPlan,
  type: GraphQLAbstractType,
  isNullable: boolean,
): Complete {
  const resolveType = type.resolveType ?? defaultTypeResolver;
  return checked(isNullable, (run, value, frame, key, field) => {
    const info = infoOf(run, field, frame);
    const fill = (name: unknown): boolean => {
      const actual = possibleType(run, type, name, field, value);
      const selection = () => selectionOf(actual);
      return fillIfOfType(run, value, actual, selection, frame, key, field, isNullable);
    };
    const name = resolveType(value, run.context, info, type);
    if (!isPromise(name)) return fill(name);
    const complete = checked(isNullable, (_run, known) => fill((known as { readonly name: unknown }).name));
    return later(
      run,
      name.then((known) => ({ name: known })),
      complete,
      frame,
      key,
      field,
      isNullable,
    );
  });
}

/** @throws GraphQLError if the object cannot be of this type. */
function possibleType(
  run: Run,
  abstract: GraphQLAbstractType,
  name: unknown,
  field: FieldPlan,
  value: unknown,
): GraphQLObjectType {
  const { schema } = run.plan;
  const place = `field "${field.parent.name}.${field.field.name}"`;
  const fault = (words: string) => new GraphQLError(words, { nodes: field.nodes });
  if (name === null || name === undefined)
    throw fault(
      `Abstract type "${abstract}" must resolve to an Object type at runtime for ${place}. Either the "${abstract}" type should provide a "resolveType" function or each possible type should provide an "isTypeOf" function.`,
    );
  if (typeof name !== 'string')
    throw fault(
      `Abstract type "${abstract}" must resolve to an Object type at runtime for ${place} with value ${shown(value)}, received "${shown(name)}".`,
    );
  const type = schema.getType(name);
  if (!type)
    throw fault(
      `Abstract type "${abstract}" was resolved to a type "${name}" that does not exist inside the schema.`,
    );
  if (!isObjectType(type))
    throw fault(`Abstract type "${abstract}" was resolved to a non-object type "${name}".`);
  if (!schema.isSubType(abstract, type))
    throw fault(`Runtime Object type "${type}" is not a possible type for "${abstract}".`);
  return type;
}
