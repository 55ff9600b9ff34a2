import { builder } from '../../graphql/builder.ts';
import { connectionType } from '../../graphql/connection.ts';
import { type Context, callerOf } from '../../graphql/context.ts';
import { inputOf } from '../../graphql/input.ts';
import { pagedList } from '../../graphql/keyset.ts';
import { InvalidArgumentError } from '../../platform/errors.ts';
import { NO_ID } from '../../platform/ids.ts';
import { EntityNameInput } from '../../registry/graphql/entity-key.ts';
import { evictCacheEntries, MAX_EVICTIONS } from '../commands/evict-cache-entries.ts';
import {
  type CacheEntryFilter,
  type CacheEntryRow,
  cacheEntryOrder,
  countCacheEntries,
  listCacheEntries,
} from '../store/cache-entries.ts';

const CacheEntryType = builder.objectRef<CacheEntryRow>('CacheEntry').implement({
  description:
    'Outputs of a task that an execution has stored. Executions in the same project take them instead of running the task again with the same inputs. The server deletes entries that are not used for long, and the least recently used ones if there are too many; its operator says how long and how many.',
  fields: (t) => ({
    id: t.exposeID('id', { description: 'Unique over all entries.' }),
    key: t.exposeString('key', {
      description:
        'What the outputs are stored under: a digest of the name of the task, its interface, the cache version and the inputs that count.',
    }),
    taskProject: t.exposeString('taskProject', { description: 'The identifier of the project of the task.' }),
    taskDomain: t.exposeString('taskDomain', { description: 'The domain of the task.' }),
    taskName: t.exposeString('taskName', { description: 'The name of the task.' }),
    cacheVersion: t.exposeString('cacheVersion', { description: 'The cache version of the task.' }),
    createdAt: t.expose('createdAt', {
      type: 'DateTime',
      description: 'When the outputs were stored, or last replaced.',
    }),
    lastUsedAt: t.expose('lastUsedAt', {
      type: 'DateTime',
      description: 'When an execution last took the outputs, exact to a minute.',
    }),
  }),
});

const CacheEntryConnection = connectionType(CacheEntryType);

const projectText = 'The identifier of the project whose executions have stored the outputs.';
const taskText = 'Only outputs of this task. Its project may be another one.';
const versionText = 'Only outputs with this cache version.';
const keyText = 'Only the outputs that are stored under this key.';

const CacheEntryFilterInput = builder.inputType('CacheEntryFilterInput', {
  description: 'Which cached outputs a list shows: those that meet all of these conditions.',
  fields: (t) => ({
    project: t.string({ required: true, description: projectText }),
    task: t.field({ type: EntityNameInput, description: taskText }),
    cacheVersion: t.string({ description: versionText }),
    key: t.string({ description: keyText }),
  }),
});

const EvictCacheEntriesInput = builder.inputType('EvictCacheEntriesInput', {
  description:
    'Which cached outputs to delete: those that meet all of these conditions. Give a task or a key.',
  fields: (t) => ({
    project: t.string({ required: true, description: projectText }),
    task: t.field({ type: EntityNameInput, description: taskText }),
    cacheVersion: t.string({ description: versionText }),
    key: t.string({ description: keyText }),
  }),
});

/** The rule has found the project. */
async function filterOf(
  { project, task, cacheVersion, key }: typeof CacheEntryFilterInput.$inferInput,
  context: Context,
): Promise<CacheEntryFilter> {
  const { tenantId } = callerOf(context);
  const found = await context.loaders.project.load({ identifier: project });
  return {
    tenantId,
    projectId: found?.id ?? NO_ID,
    task: task ?? null,
    cacheVersion: cacheVersion ?? null,
    key: key ?? null,
  };
}

builder.queryField('cacheEntries', (t) =>
  t.connection(
    {
      type: CacheEntryType,
      description:
        'The cached outputs of tasks that the executions of one project have stored, newest first. Requires EDIT on the project.',
      args: {
        filter: t.arg({ type: CacheEntryFilterInput, required: true, description: 'Which entries to list.' }),
      },
      resolve: async (_root, { filter: given, ...args }, context) => {
        const filter = await filterOf(given, context);
        return pagedList(
          args,
          cacheEntryOrder,
          (page) => listCacheEntries(filter, page),
          () => countCacheEntries(filter),
        );
      },
    },
    CacheEntryConnection,
  ),
);

const EvictCacheEntriesPayload = builder
  .objectRef<{ evicted: number; hasMore: boolean }>('EvictCacheEntriesPayload')
  .implement({
    description: 'What `evictCacheEntries` answers when it succeeds.',
    fields: (t) => ({
      evicted: t.exposeInt('evicted', { description: 'How many entries were deleted.' }),
      hasMore: t.exposeBoolean('hasMore', {
        description: 'Whether there may be more entries. Then repeat the call.',
      }),
    }),
  });

builder.mutationField('evictCacheEntries', (t) =>
  t.field({
    type: EvictCacheEntriesPayload,
    nullable: true,
    description: `Deletes cached outputs, so that the next run of the task computes them again; at most ${MAX_EVICTIONS} at a time. Executions that have taken them keep them. Requires EDIT on the project.`,
    errors: { types: [InvalidArgumentError] },
    args: inputOf(EvictCacheEntriesInput),
    resolve: async (_root, { input }, context) =>
      await evictCacheEntries(callerOf(context), await filterOf(input, context)),
  }),
);
