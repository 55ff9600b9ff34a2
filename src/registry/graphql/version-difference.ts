import { builder } from '../../graphql/builder.ts';
import type { Context } from '../../graphql/context.ts';
import { guardedEdge } from '../../graphql/guarded-edge.ts';
import { getIdentifier } from '../../projects/loaders.ts';
import { comparable } from '../domain/comparable.ts';
import { type Comparison, compare } from '../domain/difference.ts';
import type { EntityKey } from '../domain/entity-keys.ts';
import { launchPlanTarget, taskTarget, workflowTarget } from '../domain/targets.ts';
import type { LaunchPlanRow, TaskRow, WorkflowRow } from '../store.ts';
import { DifferenceType } from './different-structure.ts';
import { LaunchPlanType, shownWorkflow } from './launch-plan.ts';
import { TaskType } from './task.ts';
import { shownClosure, WorkflowType } from './workflow.ts';

/** So that clients can still show them. */
const MAX_CHARACTERS = 64 * 1024;

const ComparisonType = builder.objectRef<Comparison>('VersionDifference').implement({
  description: 'Where two versions of one name differ.',
  fields: (t) => ({
    differences: t.field({
      type: [DifferenceType],
      extensions: { listSize: 10 },
      description:
        'The places where the two differ, sorted by their paths, up to 64 KiB of text. Nodes and tasks are named by their ids and bindings by their variables, so that a new node is one difference. Empty if the versions are equal.',
      resolve: ({ differences }) => [...differences],
    }),
    isComplete: t.exposeBoolean('isComplete', {
      description: 'Whether the list has all differences. False if it is too long and was cut.',
    }),
  }),
});

/** Both documents are read and compared completely, and each may have megabytes. */
const needs = { cost: 100 };

const textFor = (noun: string) =>
  `Where this version of the ${noun} differs from another one, whose values are the old ones. Null if there is no such version or you may not read it.`;

interface Version {
  readonly projectId: string;
  readonly domain: string;
  readonly name: string;
}

/** The key of another version of the same name. */
async function keyOf(
  { projectId, domain, name }: Version,
  version: string,
  { loaders }: Context,
): Promise<{ readonly key: EntityKey }> {
  return { key: { project: await getIdentifier(projectId, loaders), domain, name, version } };
}

interface Asked<Row> {
  readonly row: Row;
  readonly version: string;
}

/** The differences between two versions: first those of the names of their parts, then of all else. */
function comparisonOf(before: unknown, after: unknown): Comparison {
  const named = compare(comparable(before), comparable(after), MAX_CHARACTERS);
  // Two versions may differ only in the order of their nodes.
  return named.differences.length > 0 ? named : compare(before, after, MAX_CHARACTERS);
}

const argument = builder.args((t) => ({
  to: t.string({ required: true, description: 'The version to compare with, of the same name.' }),
}));

const otherTask = guardedEdge(
  'task:read',
  async ({ row, version }: Asked<TaskRow>, context) =>
    await context.loaders.task.load(await keyOf(row, version, context)),
  taskTarget,
);

builder.objectField(TaskType, 'difference', (t) =>
  t.field({
    type: ComparisonType,
    nullable: true,
    extensions: needs,
    description: textFor('task'),
    args: argument,
    resolve: async (row, { to }, context) => {
      const other = await otherTask({ row, version: to }, {}, context);
      if (!other) return null;
      const [before, after] = await context.loaders.taskTemplate.loadMany([other.id, row.id]);
      return comparisonOf(templateIn(before), templateIn(after));
    },
  }),
);

const templateIn = (row: { readonly template: unknown } | Error | null | undefined) => {
  if (row instanceof Error) throw row;
  return row?.template;
};

const otherWorkflow = guardedEdge(
  'workflow:read',
  async ({ row, version }: Asked<WorkflowRow>, context) =>
    await context.loaders.workflow.load(await keyOf(row, version, context)),
  workflowTarget,
);

builder.objectField(WorkflowType, 'difference', (t) =>
  t.field({
    type: ComparisonType,
    nullable: true,
    extensions: needs,
    description: textFor('workflow'),
    args: argument,
    resolve: async (row, { to }, context) => {
      const other = await otherWorkflow({ row, version: to }, {}, context);
      if (!other) return null;
      const [before, after] = await Promise.all([other, row].map((one) => shownClosure(one, context)));
      return comparisonOf(before, after);
    },
  }),
);

const otherLaunchPlan = guardedEdge(
  'launchPlan:read',
  async ({ row, version }: Asked<LaunchPlanRow>, context) =>
    await context.loaders.launchPlan.load(await keyOf(row, version, context)),
  launchPlanTarget,
);

builder.objectField(LaunchPlanType, 'difference', (t) =>
  t.field({
    type: ComparisonType,
    nullable: true,
    extensions: needs,
    description: textFor('launch plan'),
    args: argument,
    resolve: async (row, { to }, context) => {
      const other = await otherLaunchPlan({ row, version: to }, {}, context);
      if (!other) return null;
      const [before, after] = await Promise.all([other, row].map((one) => specOf(one, context)));
      return comparisonOf(before, after);
    },
  }),
);

/** The spec, without the workflow if it is hidden from the caller. */
async function specOf(plan: Pick<LaunchPlanRow, 'id' | 'workflowId'>, context: Context): Promise<object> {
  const [workflow, row] = await Promise.all([
    shownWorkflow(plan, {}, context),
    context.loaders.launchPlanSpec.load(plan.id),
  ]);
  const spec = { ...row?.spec } as Record<string, unknown>;
  if (workflow) return spec;
  const { workflowId: _id, workflowDigest: _digest, ...rest } = spec;
  return rest;
}
