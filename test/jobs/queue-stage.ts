/** Queues through the API, with all their fields. */
import type { Answer, App } from '../support/app.ts';
import { mutate } from '../support/mutate.ts';

export const fields = `
  id name priorityFactor cordoned cordonReason labels { key value } retryPolicies
  resourceLimitsByPriorityClass {
    priorityClass
    maximumResourceFraction { resource fraction }
    maximumResourceFractionByPool { pool fractions { resource fraction } }
  }
  userOwners groupOwners permissions { subjects { kind name } verbs }`;

export const queueCalls = (app: App) => ({
  create: (input: object, authorization?: string): Promise<Answer> =>
    mutate(app, 'createQueue', input, `queue { ${fields} }`, authorization),
  update: (input: object, authorization?: string): Promise<Answer> =>
    mutate(app, 'updateQueue', input, `queue { ${fields} }`, authorization),
  upsert: (input: object, authorization?: string): Promise<Answer> =>
    mutate(app, 'upsertQueue', input, `queue { ${fields} }`, authorization),
  remove: (name: string, authorization?: string): Promise<Answer> =>
    mutate(app, 'deleteQueue', { by: { name } }, 'queue { id name }', authorization),
  async read(name: string, authorization?: string): Promise<Answer> {
    const query = `query ($name: String!) { queue(by: { name: $name }) { ${fields} } }`;
    const { data, errors } = await app.ask(query, { name }, authorization);
    return data?.queue ?? { code: errors?.[0]?.extensions.code };
  },
});

/** A queue with nothing but defaults, owned by this user. */
export const defaultsFor = (owner: string) => ({
  ...{ priorityFactor: 1, cordoned: false, cordonReason: null, labels: [], retryPolicies: [] },
  ...{ resourceLimitsByPriorityClass: [], userOwners: [owner], groupOwners: [] },
  permissions: [{ subjects: [{ kind: 'User', name: owner }], verbs: allVerbs }],
});

export const allVerbs = ['watch', 'submit', 'cancel', 'reprioritize', 'preempt'];

/** Everything that can be set, apart from the users and groups. */
export const rich = {
  priorityFactor: 3,
  cordoned: true,
  cordonReason: 'cleaning',
  labels: [{ key: 'team', value: 'vision' }],
  resourceLimitsByPriorityClass: [
    {
      priorityClass: 'slipway-default',
      maximumResourceFraction: [
        { resource: 'cpu', fraction: 0.5 },
        { resource: 'nvidia.com/gpu', fraction: 0 },
      ],
      maximumResourceFractionByPool: [{ pool: 'large', fractions: [{ resource: 'memory', fraction: 1 }] }],
    },
  ],
};
