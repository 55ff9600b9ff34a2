import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { controlPlaneConfig } from '../../src/platform/config/control-plane.ts';
import { db } from '../../src/platform/database/client.ts';
import { newId } from '../../src/platform/ids.ts';
import { type Answer, type App, startApp } from '../support/app.ts';
import { holdAnswers } from '../support/statements.ts';
import { eventually } from '../support/waiting.ts';

let app: App;
beforeAll(async () => {
  app = await startApp({ scheduler: false });
});
afterAll(() => app.stop());

/** One call of a process that uses this executor name. */
async function lease(executor: string, input: object = {}): Promise<Answer> {
  const { data, errors } = await app.ask(
    `mutation ($input: LeaseJobsInput!) {
       leaseJobs(input: $input) { __typename ... on Error { code message path } }
     }`,
    { input: { executor, knownRuns: [], maxJobs: 0, ...input } },
    app.executor,
  );
  expect(errors).toBeUndefined();
  return data.leaseJobs;
}

const taken = { __typename: 'LeaseJobsPayload' };
const refused = {
  code: 'FAILED_PRECONDITION',
  message: expect.stringMatching(
    /^another process uses the executor name \S+: choose another name, or wait until/,
  ),
};

/** As if the executor had been silent for so long. */
async function silence(name: string, seconds: number): Promise<void> {
  await db.$executeRaw`
    update executors set last_seen_at = now() - make_interval(secs => ${seconds}) where name = ${name}`;
}

describe('a second process of one executor name', () => {
  it('is refused while the first is alive, and the first continues', async () => {
    const [first, second] = [newId(), newId()];
    expect(await lease('one', { instance: first })).toMatchObject(taken);
    expect(await lease('one', { instance: second })).toMatchObject(refused);
    expect(await lease('one')).toMatchObject(refused);
    await silence('one', controlPlaneConfig.leaseSeconds / 2);
    expect(await lease('one', { instance: second })).toMatchObject(refused);
    expect(await lease('one', { instance: first })).toMatchObject(taken);
    expect(await lease('another', { instance: second })).toMatchObject(taken);
  });

  it('takes over when the first was silent for the length of a lease, and then the first is refused', async () => {
    const [first, second] = [newId(), newId()];
    await lease('silent', { instance: first });
    await silence('silent', controlPlaneConfig.leaseSeconds + 1);
    expect(await lease('silent', { instance: second })).toMatchObject(taken);
    expect(await lease('silent', { instance: first })).toMatchObject(refused);
  });

  it('is refused when the first becomes silent for that long during the call, which has renewed no lease', async () => {
    const [first, second] = [newId(), newId()];
    await lease('moment', { instance: first });
    const answers = holdAnswers(/update job_runs as run set lease_expires_at/);
    const answer = lease('moment', { instance: second, knownRuns: [newId()] });
    await eventually(
      () => answers.held,
      (held) => held === 1,
    );
    await silence('moment', controlPlaneConfig.leaseSeconds + 1);
    answers.release();
    expect(await answer).toMatchObject(refused);
    expect(await lease('moment', { instance: second, knownRuns: [newId()] })).toMatchObject(taken);
  });

  it('takes over at once when the first has signed off', async () => {
    const [first, second] = [newId(), newId()];
    await lease('leaving', { instance: first });
    expect(await lease('leaving', { instance: first, isLast: true })).toMatchObject(taken);
    expect(await lease('leaving', { instance: second })).toMatchObject(taken);
    expect(await lease('leaving', { instance: first, isLast: true })).toMatchObject(refused);
    expect(await lease('leaving', { instance: second })).toMatchObject(taken);
  });

  it('is admitted once when many come at the same time', async () => {
    const answers = await Promise.all(Array.from({ length: 8 }, () => lease('crowd', { instance: newId() })));
    expect(answers.filter((answer) => answer.__typename === taken.__typename)).toHaveLength(1);
    expect(answers.filter((answer) => answer.code === refused.code)).toHaveLength(7);
  });

  it('is not detected when processes send no instance id', async () => {
    expect(await lease('nameless')).toMatchObject(taken);
    expect(await lease('nameless')).toMatchObject(taken);
  });

  it('needs an instance id in the form of an id', async () => {
    expect(await lease('form', { instance: 'first' })).toMatchObject({
      code: 'INVALID_ARGUMENT',
      path: ['input', 'instance'],
    });
  });
});
