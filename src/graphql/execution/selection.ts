import type { GraphQLResolveInfo } from 'graphql';
import type { FieldNeeds } from '../field-needs.ts';
import type { FieldPlan } from './plan.ts';
import { fieldOfCall, type PlannedInfo, runOfCall } from './run.ts';

/**
 * What a query selects inside of a field. Its resolver asks this before it reads anything, so that it need not read what
 * nobody sees. Fields that `@skip` or `@include` leave out are not selected.
 */
export class Selection {
  readonly #field: FieldPlan;
  readonly #byName = new Map<string, readonly Selection[]>();
  #columns: ReadonlySet<string> | null | undefined;

  constructor(field: FieldPlan) {
    this.#field = field;
  }

  /** The selected fields with this name: several if they have aliases. */
  all(name: string): readonly Selection[] {
    const known = this.#byName.get(name);
    if (known) return known;
    const fields = this.#field.inside?.().fields ?? [];
    const found = fields.filter(({ field }) => field.name === name).map(selectionIn);
    this.#byName.set(name, found);
    return found;
  }

  /** Whether a field is selected. A path leads through objects: `has('pageInfo', 'endCursor')`. */
  has(...[name, ...path]: readonly [string, ...string[]]): boolean {
    const [next, ...rest] = path;
    return this.all(name).some((one) => next === undefined || one.has(next, ...rest));
  }

  /**
   * The columns that the fields of the object read, as their `reads` say; null if one of them does not say it, so that
   * it may read any.
   */
  get columns(): ReadonlySet<string> | null {
    if (this.#columns === undefined) this.#columns = columnsRead(this.#field);
    return this.#columns;
  }

  /** The arguments of this field, in the run that `info` belongs to. @throws GraphQLError */
  argumentsIn(info: GraphQLResolveInfo): Readonly<Record<string, unknown>> {
    return (info as PlannedInfo)[runOfCall].argumentsOf(this.#field);
  }
}

function columnsRead({ inside }: FieldPlan): ReadonlySet<string> | null {
  if (!inside) return null;
  const columns = new Set<string>();
  for (const { field } of inside().fields) {
    const { reads } = field.extensions as FieldNeeds;
    const exposed = field.extensions['pothosExposedField'];
    const read = field.name === '__typename' ? [] : typeof exposed === 'string' ? [exposed] : reads;
    if (!read) return null;
    for (const column of read) columns.add(column);
  }
  return columns;
}

const selections = new WeakMap<FieldPlan, Selection>();

function selectionIn(field: FieldPlan): Selection {
  const known = selections.get(field);
  if (known) return known;
  const made = new Selection(field);
  selections.set(field, made);
  return made;
}

/**
 * What is selected inside of the field that a resolver answers; null if this is not known, because the operation has no
 * plan. Then the resolver reads everything. The field must be an object or a list of objects of one type.
 */
export function selectionOf(info: GraphQLResolveInfo): Selection | null {
  const field = (info as Partial<PlannedInfo>)[fieldOfCall];
  return field?.inside ? selectionIn(field) : null;
}
