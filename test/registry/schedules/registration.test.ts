/** Schedules and notifications in the registration of launch plans, in our form and in Flyte's. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { db } from '../../../src/platform/database/client.ts';
import { type Answer, type LocalApp, startApp } from '../../support/app.ts';
import { make, mutate } from '../../support/mutate.ts';
import { domain, integer, keyOf, registerProject, registerTask } from '../../support/seed.ts';

const project = 'timed';
const datetime = { simple: 'DATETIME' };
let app: LocalApp;

beforeAll(async () => {
  app = await startApp({ scheduler: false });
  await registerProject(app, project);
  await registerTask(app, project, 'double', { inputs: { x: integer, at: datetime } });
  const inputs = [
    { var: 'x', binding: { promise: { nodeId: '', var: 'x' } } },
    { var: 'at', binding: { promise: { nodeId: '', var: 'at' } } },
  ];
  await make(
    app,
    'createWorkflow',
    {
      key: keyOf(project, 'flow'),
      template: {
        interface: {
          inputs: [
            { name: 'x', type: integer },
            { name: 'at', type: datetime },
          ],
          outputs: [],
        },
        nodes: [{ id: 'a', inputs, taskNode: { referenceId: keyOf(project, 'double') } }],
        outputs: [],
      },
    },
    'workflow',
  );
});
afterAll(() => app.stop());

const defaults = { x: 1, at: '2026-01-01T00:00:00Z' };
const workflow = { key: keyOf(project, 'flow') };
let versions = 0;
const newKey = () => keyOf(project, 'plan', `v${++versions}`);

const create = (more: object, key = newKey()): Promise<Answer> =>
  mutate(
    app,
    'createLaunchPlan',
    { key, workflow, defaultInputs: defaults, ...more },
    `launchPlan { id digest flyte
       schedule { cron { expression timeZone offset } rate { value unit } kickoffTimeInput catchUp catchUpLimit }
       notifications { phases email { recipients template } pagerDuty { recipients } slack { recipients } webhook { url template } } }`,
  );
const createFromFlyte = (flyte: object, key = newKey()) =>
  mutate(
    app,
    'createLaunchPlan',
    { key, flyte: { workflowId: workflow.key, ...flyte } },
    'launchPlan { id digest flyte schedule { cron { expression timeZone } } }',
  );
const daily = { times: { cron: { expression: '0 9 * * *' } } };
const faultsOf = (answer: Answer) => {
  expect(answer, JSON.stringify(answer)).toMatchObject({ __typename: 'InvalidArgumentError' });
  return answer.problems.map(({ path, code }: Answer) => `${code} ${path.join('.')}`);
};

describe('createLaunchPlan with a schedule', () => {
  it('shows what was registered, with the defaults', async () => {
    const times = { cron: { expression: '30 2 * * MON-FRI', timeZone: 'Europe/Berlin', offset: 'PT5M' } };
    const schedule = { times, kickoffTimeInput: 'at', catchUp: 'LAST', catchUpLimit: 3 };
    expect((await create({ schedule })).launchPlan.schedule).toEqual({
      ...{ ...times, rate: null, kickoffTimeInput: 'at', catchUp: 'LAST', catchUpLimit: 3 },
    });
    expect(
      (await create({ schedule: { times: { rate: { value: 2, unit: 'HOUR' } } } })).launchPlan.schedule,
    ).toEqual({
      ...{ cron: null, rate: { value: '2', unit: 'HOUR' }, kickoffTimeInput: null },
      ...{ catchUp: 'ALL', catchUpLimit: 1000 },
    });
    expect((await create({})).launchPlan.schedule).toBeNull();
  });

  it.each([
    [
      'six fields',
      { times: { cron: { expression: '0 0 * * ? *' } } },
      'InvalidValue input.schedule.times.cron.expression',
    ],
    [
      'a date that never occurs',
      { times: { cron: { expression: '0 0 31 2 *' } } },
      'InvalidValue input.schedule.times.cron.expression',
    ],
    ['no expression', { times: { cron: { expression: '' } } }, 'InvalidValue input.schedule'],
    [
      'an unknown time zone',
      { times: { cron: { expression: '@daily', timeZone: 'Mars' } } },
      'InvalidValue input.schedule.times.cron.timeZone',
    ],
    [
      'a time zone without effect',
      { times: { cron: { expression: '@every 1h', timeZone: 'UTC' } } },
      'InvalidValue input.schedule.times.cron.timeZone',
    ],
    [
      'a negative offset',
      { times: { cron: { expression: '@daily', offset: '-PT1H' } } },
      'InvalidValue input.schedule.times.cron.offset',
    ],
    [
      'a long offset',
      { times: { cron: { expression: '@daily', offset: 'P32D' } } },
      'InvalidValue input.schedule.times.cron.offset',
    ],
    ['a rate of zero', { times: { rate: { value: 0, unit: 'DAY' } } }, 'InvalidValue input.schedule'],
    [
      'a negative rate',
      { times: { rate: { value: -1, unit: 'DAY' } } },
      'InvalidValue input.schedule.times.rate.value',
    ],
    [
      'a rate of eleven years',
      { times: { rate: { value: 4000, unit: 'DAY' } } },
      'InvalidValue input.schedule.times.rate.value',
    ],
    [
      'a kickoff input that does not exist',
      { ...daily, kickoffTimeInput: 'gone' },
      'VariableNameNotFound input.schedule.kickoffTimeInput',
    ],
    [
      'a kickoff input of another type',
      { ...daily, kickoffTimeInput: 'x' },
      'MismatchingTypes input.schedule.kickoffTimeInput',
    ],
    [
      'too many missed slots',
      { ...daily, catchUp: 'ALL', catchUpLimit: 1001 },
      'InvalidValue input.schedule.catchUpLimit',
    ],
    [
      'no missed slots',
      { ...daily, catchUp: 'ALL', catchUpLimit: 0 },
      'InvalidValue input.schedule.catchUpLimit',
    ],
  ] as const)('refuses %s and names the field', async (_name, schedule, fault) => {
    expect(faultsOf(await create({ schedule }))).toEqual([fault]);
  });

  it('requires that each input but the kickoff input has a value', async () => {
    expect(faultsOf(await create({ schedule: daily, defaultInputs: { x: 1 } }))).toEqual([
      'MissingField input.schedule',
    ]);
    const kickoff = { ...daily, kickoffTimeInput: 'at' };
    expect(await create({ schedule: kickoff, defaultInputs: { x: 1 } })).toHaveProperty('launchPlan');
    expect(faultsOf(await create({ schedule: kickoff, defaultInputs: {} }))).toEqual([
      'MissingField input.schedule',
    ]);
    const fixed = { defaultInputs: { x: 1 }, fixedInputs: { at: defaults.at } };
    expect(await create({ schedule: daily, ...fixed })).toHaveProperty('launchPlan');
    expect(faultsOf(await create({ schedule: kickoff, ...fixed }))).toEqual([
      'VariableNameNotFound input.schedule.kickoffTimeInput',
    ]);
  });

  it('takes exactly one kind of times', async () => {
    const rate = { value: 1, unit: 'DAY' };
    const { errors } = await app.ask(
      'mutation ($input: CreateLaunchPlanInput!) { createLaunchPlan(input: $input) { __typename } }',
      {
        input: { key: newKey(), workflow, schedule: { times: { ...daily.times, rate } } },
      },
    );
    expect(errors?.[0]?.extensions.code).toBe('INVALID_ARGUMENT');
  });

  it('is another version with another schedule, and the digest without one is as before', async () => {
    const key = newKey();
    const { launchPlan } = await create({ schedule: daily }, key);
    expect(await create({ schedule: daily }, key)).toMatchObject({ __typename: 'AlreadyExistsError' });
    expect(await create({}, key)).toMatchObject({ __typename: 'DifferentStructureError' });
    const plain = await create({});
    expect(plain.launchPlan.digest).not.toBe(launchPlan.digest);
    const { spec } = await db.launchPlan.findUniqueOrThrow({ where: { id: plain.launchPlan.id } });
    expect(Object.keys(spec as object).sort()).toEqual([
      ...['expectedInputs', 'fixedInputs', 'workflowDigest', 'workflowId'],
    ]);
  });
});

describe('createLaunchPlan with notifications', () => {
  const ada = { recipients: ['ada@example.com'] };

  it('shows what was registered', async () => {
    const notifications = [
      { phases: ['SUCCEEDED', 'FAILED'], email: { ...ada, template: '{{ name }} is {{ phase }}' } },
      { phases: ['ABORTED'], pagerDuty: ada },
      { phases: ['TIMED_OUT'], slack: ada },
      { phases: ['FAILED'], webhook: { url: 'https://example.com/hook' } },
      { phases: ['FAILED'], webhook: { url: 'https://example.com/hook', template: '{{ name }}' } },
    ];
    const shown = (await create({ notifications })).launchPlan.notifications;
    expect(shown).toMatchObject(notifications);
    expect(shown[3]).toEqual({
      ...{ phases: ['FAILED'], email: null, pagerDuty: null, slack: null },
      webhook: { url: 'https://example.com/hook', template: null },
    });
    expect((await create({})).launchPlan.notifications).toEqual([]);
    expect((await create({ notifications: [] })).launchPlan.notifications).toEqual([]);
  });

  const phases = ['FAILED'];
  it.each([
    ['no phase', { phases: [], email: ada }, 'MissingField input.notifications.0.phases'],
    ['no sink', { phases }, 'InvalidValue input.notifications.0'],
    ['two sinks', { phases, email: ada, slack: ada }, 'InvalidValue input.notifications.0'],
    [
      'no recipient',
      { phases, email: { recipients: [] } },
      'MissingField input.notifications.0.email.recipients',
    ],
    [
      'a blank recipient',
      { phases, slack: { recipients: [' '] } },
      'MissingField input.notifications.0.slack.recipients.0',
    ],
    [
      'a channel where an address is needed',
      { phases, email: { recipients: ['#ops'] } },
      'InvalidValue input.notifications.0.email.recipients.0',
    ],
    [
      'two names in one',
      { phases, slack: { recipients: ['#ops,#dev'] } },
      'InvalidValue input.notifications.0.slack.recipients.0',
    ],
    [
      'two addresses in one',
      { phases, email: { recipients: ['a@b.c,d@e.f'] } },
      'InvalidValue input.notifications.0.email.recipients.0',
    ],
    [
      'a header in an address',
      { phases, email: { recipients: ['a@b.c\r\nBcc: d@e.f'] } },
      'InvalidValue input.notifications.0.email.recipients.0',
    ],
    [
      'a URL of another kind',
      { phases, webhook: { url: 'file:///etc/passwd' } },
      'InvalidValue input.notifications.0.webhook.url',
    ],
    [
      'a URL with a password',
      { phases, webhook: { url: 'https://a:b@example.com' } },
      'InvalidValue input.notifications.0.webhook.url',
    ],
    [
      'a long template',
      { phases, webhook: { url: 'https://example.com', template: 'a'.repeat(10_001) } },
      'InvalidValue input.notifications.0.webhook.template',
    ],
  ] as const)('refuses %s and names the field', async (_name, notification, fault) => {
    expect(faultsOf(await create({ notifications: [notification] }))).toEqual([fault]);
  });

  it('refuses more than 20, and more than 50 recipients', async () => {
    const many = Array.from({ length: 21 }, () => ({ phases, email: ada }));
    expect(faultsOf(await create({ notifications: many }))).toEqual(['InvalidValue input.notifications']);
    expect(await create({ notifications: many.slice(1) })).toHaveProperty('launchPlan');
    const recipients = Array.from({ length: 51 }, (_, index) => `a${index}@example.com`);
    expect(faultsOf(await create({ notifications: [{ phases, email: { recipients } }] }))).toEqual([
      'InvalidValue input.notifications.0.email.recipients',
    ]);
  });
});

const parameters = Object.fromEntries([
  ['x', { var: { type: integer }, default: { scalar: { primitive: { integer: '1' } } } }],
  ['at', { var: { type: datetime }, default: { scalar: { primitive: { datetime: defaults.at } } } }],
]);
const defaultInputs = { parameters };

describe("a schedule in Flyte's form", () => {
  it('is equal to the same schedule in ours, and comes back as it was', async () => {
    const entityMetadata = {
      schedule: { cronSchedule: { schedule: 'CRON_TZ=Europe/Berlin 0 9 * * *' }, kickoffTimeInputArg: 'at' },
      notifications: [
        { phases: ['FAILED'], pagerDuty: { recipientsEmail: ['ada@example.com'], template: 'x' } },
      ],
    };
    const key = newKey();
    const theirs = await createFromFlyte({ entityMetadata, defaultInputs }, key);
    expect(theirs.launchPlan.schedule.cron).toEqual({ expression: '0 9 * * *', timeZone: 'Europe/Berlin' });
    expect(theirs.launchPlan.flyte.entityMetadata).toEqual(entityMetadata);
    const ours = {
      schedule: {
        times: { cron: { expression: '0 9 * * *', timeZone: 'Europe/Berlin' } },
        kickoffTimeInput: 'at',
      },
      notifications: [{ phases: ['FAILED'], pagerDuty: { recipients: ['ada@example.com'], template: 'x' } }],
    };
    expect(await create(ours, key)).toMatchObject({ __typename: 'AlreadyExistsError' });
  });

  it('may be empty, and is then stored as it is', async () => {
    for (const schedule of [
      {},
      { kickoffTimeInputArg: 'gone' },
      { rate: { unit: 'HOUR' } },
      { cronSchedule: {} },
    ]) {
      const plan = await createFromFlyte({ entityMetadata: { schedule }, defaultInputs });
      expect(plan.launchPlan.flyte.entityMetadata).toEqual({ schedule });
    }
  });

  it.each([
    [{ schedule: { cronExpression: '0/15 * * * ? *' } }, 'schedule.cronExpression'],
    [{ schedule: { cronSchedule: { schedule: '0 0 * * MON#1' } } }, 'schedule.cronSchedule.schedule'],
    [{ schedule: { cronSchedule: { schedule: '@daily', offset: 'soon' } } }, 'schedule.cronSchedule.offset'],
    [{ schedule: { rate: { value: 1, unit: 'WEEK' } } }, 'schedule.rate.unit'],
    [{ schedule: { rate: { value: 1 }, kickoffTimeInputArg: 'x' } }, 'schedule.kickoffTimeInputArg'],
    [
      { notifications: [{ phases: ['RUNNING'], email: { recipientsEmail: ['a@b.c'] } }] },
      'notifications.0.phases.0',
    ],
    [
      { notifications: [{ phases: ['FAILED'], email: { recipientsEmail: [''] } }] },
      'notifications.0.email.recipientsEmail.0',
    ],
    [{ launchConditions: { '@type': 'x' } }, 'launchConditions'],
  ])('names the field of Flyte that is wrong: %j', async (entityMetadata, path) => {
    const answer = await createFromFlyte({ entityMetadata, defaultInputs });
    expect(answer.problems.map((one: Answer) => one.path.join('.'))).toEqual([
      `input.flyte.entityMetadata.${path}`,
    ]);
  });
});

it('launch plans can be filtered by the kind of their schedule', async () => {
  const list = async (type: string) => {
    const { data, errors } = await app.ask(
      `query ($filters: String) { launchPlans(filter: { project: "${project}", domain: "${domain}" }, filters: $filters, first: 1000) {
        nodes { schedule { cron { expression } rate { value } } } } }`,
      { filters: `eq(schedule_type,${type})` },
    );
    expect(errors).toBeUndefined();
    return data.launchPlans.nodes.map((one: Answer) => one.schedule);
  };
  const [crons, rates, none] = [await list('CRON'), await list('RATE'), await list('NONE')];
  expect(crons.length).toBeGreaterThan(2);
  expect(crons.every((one: Answer) => one?.cron?.expression)).toBe(true);
  expect(rates).toEqual([{ cron: null, rate: { value: '2' } }]);
  expect(none.length).toBeGreaterThan(2);
  expect(none.every((one: Answer) => !one?.cron?.expression && (one?.rate?.value ?? '0') === '0')).toBe(true);
});
