/** What the files of a package mean: their kinds, their keys, and what is open in them. */
import { create, type DescMessage, type MessageInitShape, toBinary } from '@bufbuild/protobuf';
import { describe, expect, it } from 'vitest';
import { CliError } from '../../src/cli/cli-error.ts';
import type { Ask } from '../../src/cli/client.ts';
import { register } from '../../src/cli/commands/register.ts';
import { entitiesOf, type KeyParts } from '../../src/cli/flyte/package-entities.ts';
import { LaunchPlanSchema } from '../../src/generated/proto/flyteidl/admin/launch_plan_pb.ts';
import { TaskSpecSchema } from '../../src/generated/proto/flyteidl/admin/task_pb.ts';
import { WorkflowSpecSchema } from '../../src/generated/proto/flyteidl/admin/workflow_pb.ts';
import { ResourceType } from '../../src/generated/proto/flyteidl/core/identifier_pb.ts';
import { temporaryFolder } from './packages.ts';

const { TASK, WORKFLOW, LAUNCH_PLAN } = ResourceType;
const bytes = <Schema extends DescMessage>(schema: Schema, message: MessageInitShape<Schema>) =>
  toBinary(schema, create(schema, message));
const complete = { project: 'p', domain: 'd', version: 'v' };
const key = (resourceType: ResourceType, changes: object = {}) => ({
  ...{ resourceType, name: 'a', ...complete, ...changes },
});
const task = (id: object | null = key(TASK), more: object = {}) =>
  bytes(TaskSpecSchema, { template: { ...(id && { id }), type: 'container', ...more } });
const workflow = (id = key(WORKFLOW)) =>
  bytes(WorkflowSpecSchema, {
    template: {
      id,
      nodes: [
        {
          id: 'n0',
          target: {
            case: 'taskNode',
            value: {
              reference: {
                case: 'referenceId',
                value: key(TASK, { name: 't', project: '', version: '{{ registration.version }}' }),
              },
            },
          },
        },
      ],
    },
  });
const launchPlan = (id = key(LAUNCH_PLAN), spec: object | null = { workflowId: key(WORKFLOW) }) =>
  bytes(LaunchPlanSchema, { id, ...(spec && { spec }) });

const read = (name: string, content: Uint8Array, parts: KeyParts = {}) =>
  entitiesOf([{ name, content }], parts)[0];
function faultOf(name: string, content: Uint8Array, parts: KeyParts = {}): [string, string?] {
  try {
    read(name, content, parts);
  } catch (error) {
    if (error instanceof CliError && error.code === 'INVALID_ARGUMENT')
      return error.hint === undefined ? [error.message] : [error.message, error.hint];
    throw error;
  }
  throw new Error('nothing was thrown');
}

describe('a file of a package', () => {
  it.each([
    ['1_a_1.pb', task(), 'task', { template: { type: 'container' } }],
    ['2_a_2.pb', workflow(), 'workflow', { template: { nodes: [{ id: 'n0' }] } }],
    ['3_a_3.pb', launchPlan(), 'launch plan', { workflowId: { name: 'a' } }],
  ])('is what the end of its name says: %s', (name, content, kind, flyte) => {
    expect(read(name, content)).toMatchObject({ kind, key: { name: 'a', ...complete }, flyte, notes: [] });
  });

  it.each<[string, Uint8Array]>([
    ['1_a_1.pb', workflow()],
    ['1_a_1.pb', task(key(WORKFLOW))],
    ['1_a_1.pb', task(key(TASK, { name: '' }))],
    ['1_a_1.pb', task(null)],
    ['1_a_1.pb', bytes(TaskSpecSchema, {})],
    ['2_a_2.pb', task()],
    ['3_a_3.pb', launchPlan(key(TASK))],
    ['3_a_3.pb', launchPlan(key(LAUNCH_PLAN), null)],
    ['3_a_3.pb', Buffer.from('hello')],
  ])('is refused if it is something else: %s %#', (name, content) => {
    expect(faultOf(name, content)).toEqual([`${name} is not what its name says`]);
  });

  it.each(['1_a_4.pb', '1_a_1.pb.gz', 'a.pb', 'fast1.tar.gz'])('is refused with another name: %s', (name) => {
    expect(faultOf(name, task())).toEqual([
      `${name} is not a task (_1.pb), a workflow (_2.pb) or a launch plan (_3.pb)`,
      expect.stringContaining('--fast'),
    ]);
  });

  it('is not missing', () => {
    expect(() => entitiesOf([], {})).toThrow('the package is empty');
  });
});

describe('a key', () => {
  const open = key(TASK, {
    project: '',
    domain: '{{ registration.domain }}',
    version: '{{registration.version}}',
  });

  it('is filled where the package leaves it open, and nowhere else', () => {
    const parts = { project: 'given', domain: 'given', version: 'given' };
    expect(read('1_a_1.pb', task(open), parts)?.key).toEqual({ name: 'a', ...parts });
    expect(read('1_a_1.pb', task(), parts)?.key).toEqual({ name: 'a', ...complete });
  });

  it('is filled too where the content refers to others', () => {
    const parts = { project: 'given', version: 'given' };
    expect(read('2_a_2.pb', workflow(), parts)?.flyte).toMatchObject({
      template: {
        nodes: [
          { taskNode: { referenceId: { name: 't', project: 'given', domain: 'd', version: 'given' } } },
        ],
      },
    });
  });

  it.each<[parts: KeyParts, missing: string, hint: string]>([
    [{}, 'project, domain, version', '--project --domain --version'],
    [{ project: 'p' }, 'domain, version', '--domain --version'],
    [{ project: 'p', domain: 'd' }, 'version', '--version'],
  ])('that stays open is refused, with the flags that are missing: %j', (parts, missing, hint) => {
    expect(faultOf('1_a_1.pb', task(open), parts)).toEqual([`1_a_1.pb has no ${missing}`, `give ${hint}`]);
  });
});

describe('a note', () => {
  it('says what our form does not have, and what this version of Flyte does not have', () => {
    // Field 500 of the message, with the number 1.
    const unknown = Uint8Array.from([...task(key(TASK), { custom: { a: 'b' } }), 0xa0, 0x1f, 0x01]);
    expect(read('1_a_1.pb', unknown)?.notes).toEqual([{ path: '(field 500)', what: 'dropped' }]);
    const old = { target: { case: 'container', value: { config: [{ key: 'a', value: 'b' }] } } } as const;
    expect(read('1_a_1.pb', task(key(TASK), old))?.notes).toEqual([
      { path: 'template.container.config', what: 'kept' },
    ]);
  });
});

describe('the registration of a package', () => {
  /** Registers a task, a workflow and a launch plan, with these answers of the server. */
  async function registered(answers: readonly unknown[]) {
    const path = temporaryFolder({ '1_a_1.pb': task(), '2_a_2.pb': workflow(), '3_a_3.pb': launchPlan() });
    const asked: string[] = [];
    const steps: string[] = [];
    const ask: Ask = async (document) => {
      asked.push(/mutation (\w+)/.exec(String(document))?.[1] ?? '');
      return { created: answers[asked.length - 1] } as never;
    };
    const options = { ...complete, dryRun: null, isSignedIn: true, project: 'p' };
    const { registrations, error } = await register(ask, path, {
      ...options,
      onStep: (done, all, text) => steps.push(`${done}/${all} ${text}`),
    });
    return { outcomes: registrations.map(({ outcome }) => outcome), error, asked, steps };
  }

  it('registers each entity with its own mutation, in order', async () => {
    const names = ['CreateTaskPayload', 'CreateWorkflowPayload', 'CreateLaunchPlanPayload'];
    expect(await registered(names.map((__typename) => ({ __typename, outcome: 'NEW' })))).toEqual({
      outcomes: ['new', 'new', 'new'],
      error: null,
      asked: ['RegisterTask', 'RegisterWorkflow', 'RegisterLaunchPlan'],
      steps: ['0/3 task a', '1/3 workflow a', '2/3 launch plan a'],
    });
  });

  it('goes on after what is there already, and ends with the first refusal', async () => {
    const identical = { __typename: 'AlreadyExistsError', code: 'ALREADY_EXISTS', message: 'exists' };
    const refused = {
      __typename: 'InvalidArgumentError',
      code: 'INVALID_ARGUMENT',
      message: 'wrong',
      problems: [{ path: ['input', 'flyte'], message: 'not so' }],
    };
    expect(await registered([identical, refused])).toMatchObject({
      outcomes: ['unchanged', 'refused', 'not tried'],
      error: {
        code: 'INVALID_ARGUMENT',
        message: 'workflow a was refused: wrong',
        problems: ['input.flyte: not so'],
      },
      asked: ['RegisterTask', 'RegisterWorkflow'],
    });
  });

  it('shows what is different, also what one of the two does not have', async () => {
    const differences = [
      { path: ['a', 'b'], oldValue: '1', newValue: '2' },
      { path: ['c'], oldValue: null, newValue: '2' },
      { path: ['d'], oldValue: '1', newValue: null },
    ];
    const answer = {
      __typename: 'DifferentStructureError',
      code: 'INVALID_ARGUMENT',
      message: 'x',
      differences,
    };
    expect(await registered([answer])).toMatchObject({
      outcomes: ['different', 'not tried', 'not tried'],
      error: {
        message: 'task a version v is registered with another content',
        problems: ['a.b: 1 → 2', 'c: absent → 2', 'd: 1 → absent'],
        exitCode: 1,
      },
    });
  });

  it('is refused with the code of any other error, and with INTERNAL if there is no result', async () => {
    const hidden = { __typename: 'NotFoundError', code: 'NOT_FOUND', message: 'project not found' };
    expect((await registered([hidden])).error).toMatchObject({
      code: 'NOT_FOUND',
      message: 'task a was refused: project not found',
      problems: [],
    });
    for (const nothing of [null, { __typename: 'LaterPayload' }])
      expect((await registered([nothing])).error).toMatchObject({
        code: 'INTERNAL',
        message: 'task a was refused: the server gave no result',
      });
  });
});
