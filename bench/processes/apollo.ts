import { ApolloServer } from '@apollo/server';
import { startStandaloneServer } from '@apollo/server/standalone';
import { PrismaPg } from '@prisma/adapter-pg';
import {
  type FieldNode,
  GraphQLError,
  type GraphQLResolveInfo,
  GraphQLScalarType,
  valueFromASTUntyped,
} from 'graphql';
import type { Prisma, PrismaClient } from '../../src/generated/prisma/client.ts';
import { announce, type Claims, claimsOf, poolOptions } from './common.ts';
import { typeDefs } from './schema.ts';
import type { ReportInput } from './statements.ts';

/**
 * Apollo Server with plain Prisma: each root field is one call of Prisma, with the nested lists in its `select`. Prisma
 * names its statements, so that PostgreSQL plans them once. It checks the token and the tenant.
 */

// Prisma's client is generated together with Slipway, and built with it.
const built = (await import(new URL('../../dist/generated/prisma/client.js', import.meta.url).href)) as {
  readonly PrismaClient: typeof PrismaClient;
};
const names = new Map<string, string>();
const prisma = new built.PrismaClient({
  adapter: new PrismaPg(poolOptions, {
    statementNameGenerator: ({ sql }) => {
      const name = names.get(sql) ?? `p${names.size}`;
      names.set(sql, name);
      return name;
    },
  }),
});

interface Context {
  readonly claims: Claims;
}

interface First {
  readonly first: number;
}

/** The argument `first` of a field inside of this one. */
function firstOf(
  info: GraphQLResolveInfo,
  name: string,
  fields: readonly FieldNode[] = info.fieldNodes,
): number {
  for (const field of fields) {
    const inner = (field.selectionSet?.selections ?? []).filter((one) => one.kind === 'Field');
    const found = inner.find((one) => one.name.value === name);
    const value = found?.arguments?.find((argument) => argument.name.value === 'first')?.value;
    if (value) return Number(valueFromASTUntyped(value, info.variableValues));
    const deeper = inner.length > 0 ? firstOf(info, name, inner) : 0;
    if (deeper > 0) return deeper;
  }
  return 0;
}

const executionSelect = (info: GraphQLResolveInfo) =>
  ({
    ...{ id: true, name: true, domain: true, phase: true, createdAt: true, startedAt: true, endedAt: true },
    nodes: {
      where: { parentId: null, parentTaskId: null },
      orderBy: { id: 'desc' },
      take: firstOf(info, 'nodeExecutions'),
      select: {
        ...{ id: true, nodeId: true, phase: true, startedAt: true, endedAt: true },
        tasks: {
          orderBy: [{ retryAttempt: 'desc' }, { id: 'desc' }],
          take: firstOf(info, 'taskExecutions'),
          select: { id: true, retryAttempt: true, phase: true, startedAt: true, endedAt: true },
        },
      },
    },
  }) satisfies Prisma.ExecutionSelect;

const OPEN = ['QUEUED', 'INITIALIZING', 'RUNNING'];

/** One report, in a transaction. */
async function report({ tenantId }: Claims, { execution, nodeId, task, phase, occurredAt }: ReportInput) {
  const at = new Date(occurredAt);
  return await prisma.$transaction(async (tx) => {
    // The update locks the row, so the number of the event is free.
    const { lastSequence } = await tx.execution.update({
      where: { id: execution.id, tenantId, engine: 'EXTERNAL', phase: { in: ['QUEUED', 'RUNNING'] } },
      data: { lastSequence: { increment: 1 }, updatedAt: new Date() },
      select: { lastSequence: true },
    });
    const node = await tx.nodeExecution.findUniqueOrThrow({
      where: { executionId_nodeId: { executionId: execution.id, nodeId } },
      select: { id: true },
    });
    const key = { nodeExecutionId: node.id, retryAttempt: 0 };
    const { project: taskProject, domain: taskDomain, name: taskName, version: taskVersion } = task;
    const names = { taskProject, taskDomain, taskName, taskVersion };
    const known = await tx.taskExecution.findFirstOrThrow({ where: { ...key, ...names } });
    if (!OPEN.includes(known.phase) || known.phase === phase) return null;
    const isEnd = !OPEN.includes(phase);
    const begun = known.startedAt ?? at;
    const endedAt = isEnd ? (at > begun ? at : begun) : null;
    const moved = await tx.taskExecution.update({
      where: { id: known.id },
      data: { phase: phase as typeof known.phase, phaseVersion: 0, endedAt, updatedAt: at },
      select: { id: true, phase: true },
    });
    await tx.nodeExecution.update({
      where: { id: node.id },
      data: { latestTaskExecutionId: moved.id, latestAttempt: 0, latestTaskPhase: moved.phase },
      select: { id: true },
    });
    await tx.executionEvent.create({
      data: {
        ...{ executionId: execution.id, sequence: lastSequence, tenantId, kind: 'TASK', phase },
        ...{ nodeId, attempt: 0, occurredAt: at },
      },
      select: { sequence: true },
    });
    return moved;
  });
}

const findViewer = ({ userId, tenantId, version }: Claims) =>
  prisma.user.findFirst({
    where: { id: userId, tenantId, version, disabledAt: null },
    select: { id: true, username: true, name: true, role: true },
  });

const resolvers = {
  DateTime: new GraphQLScalarType<string | Date, string>({
    name: 'DateTime',
    serialize: (value) => (value as Date).toISOString(),
  }),
  Query: {
    viewer: (_: unknown, __: unknown, { claims }: Context) => findViewer(claims),
    execution: (_: unknown, { by }: { by: { id: string } }, { claims }: Context, info: GraphQLResolveInfo) =>
      prisma.execution.findFirst({
        relationLoadStrategy: 'join',
        where: { id: by.id, tenantId: claims.tenantId },
        select: executionSelect(info),
      }),
    async executions(
      _: unknown,
      { filter, first }: First & { filter: { project: string; domain: string; phases: never[] } },
      { claims: { tenantId } }: Context,
      info: GraphQLResolveInfo,
    ) {
      const nodes = await prisma.execution.findMany({
        where: {
          ...{ tenantId, domain: filter.domain, phase: { in: filter.phases }, state: 'ACTIVE' },
          project: { identifier: filter.project, tenantId },
        },
        orderBy: [{ createdAt: 'desc' }, { id: 'desc' }],
        take: first,
        select: executionSelect(info),
      });
      return { nodes };
    },
    async projects(_: unknown, { first }: First, { claims: { tenantId } }: Context) {
      const projects = await prisma.project.findMany({
        where: { tenantId, state: 'ACTIVE' },
        orderBy: { identifier: 'asc' },
        take: first,
        select: { id: true, identifier: true, name: true },
      });
      const counts = await prisma.execution.groupBy({
        by: ['projectId', 'phase'],
        where: { tenantId, state: 'ACTIVE', projectId: { in: projects.map(({ id }) => id) } },
        orderBy: [{ phase: 'asc' }],
        _count: true,
      });
      const byProject = new Map(projects.map(({ id }) => [id, [] as object[]]));
      for (const { projectId, phase, _count } of counts)
        byProject.get(projectId)?.push({ phase, count: _count });
      return { nodes: projects.map((one) => ({ ...one, executionCounts: byProject.get(one.id) })) };
    },
    async myPermissions(_: unknown, { first }: First, { claims: { userId, tenantId } }: Context) {
      const grants = await prisma.grant.findMany({
        where: { tenantId, OR: [{ userId }, { group: { members: { some: { userId } } } }] },
        orderBy: { id: 'desc' },
        take: first,
        select: { id: true, level: true, resourceType: true, resourceId: true },
      });
      const projects = await prisma.project.findMany({
        where: { id: { in: grants.flatMap(({ resourceId }) => resourceId ?? []) } },
        select: { id: true, identifier: true },
      });
      const identifiers = new Map(projects.map(({ id, identifier }) => [id, identifier]));
      const nodes = grants.map(({ id, level, resourceType, resourceId }) => ({
        grant: {
          ...{ id, level },
          resource: { type: resourceType, id: resourceId, name: identifiers.get(resourceId ?? '') ?? null },
        },
      }));
      return { nodes };
    },
  },
  Execution: {
    nodeExecutions: ({ nodes }: { readonly nodes: unknown }) => ({ nodes }),
  },
  NodeExecution: {
    taskExecutions: ({ tasks }: { readonly tasks: unknown }) => ({ nodes: tasks }),
  },
  Mutation: {
    async createTaskEvent(_: unknown, { input }: { input: ReportInput }, { claims }: Context) {
      const taskExecution = await report(claims, input);
      if (taskExecution) return { __typename: 'CreateTaskEventPayload', taskExecution };
      return { __typename: 'FailedPreconditionError', message: 'this attempt cannot go to this phase' };
    },
  },
};

const server = new ApolloServer<Context>({ typeDefs, resolvers });
const { url } = await startStandaloneServer(server, {
  listen: { host: '127.0.0.1', port: 0 },
  context: async ({ req }) => {
    const claims = claimsOf(req.headers.authorization);
    if (claims === null) throw new GraphQLError('the token is not valid');
    return { claims };
  },
});
announce({ port: Number(new URL(url).port), path: '/' });
