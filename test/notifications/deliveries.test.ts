/** Notifications from the end of an execution to their receivers. */
import { createHmac } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { planDeliveries } from '../../src/notifications/commands/plan-deliveries.ts';
import { sendDelivery } from '../../src/notifications/commands/send-delivery.ts';
import { claimDelivery, recordAttempt } from '../../src/notifications/store/deliveries.ts';
import { pool } from '../../src/platform/database/client.ts';
import { startPlanLoop, startSendLoop } from '../../src/scheduler/send-notifications.ts';
import { type Answer, type LocalApp, startApp } from '../support/app.ts';
import { make, mutate } from '../support/mutate.ts';
import {
  domain,
  eventually,
  keyOf,
  registerProject,
  registerTask,
  registerWorkflow,
} from '../support/seed.ts';
import { newUser } from '../support/users.ts';
import { startWebhookReceiver, type WebhookReceiver } from '../support/webhook-receiver.ts';

const mail = await vi.hoisted(async () => {
  const { startMailServer } = await import('../support/mail-server.ts');
  const server = await startMailServer();
  process.env['SMTP_URL'] = server.url;
  process.env['NOTIFICATION_SENDER'] = 'slipway@example.com';
  process.env['WEBHOOK_ALLOWED_NETWORKS'] = '127.0.0.1';
  return server;
});

const project = 'told';
let app: LocalApp;
let receiver: WebhookReceiver;
let projectId: string;

beforeAll(async () => {
  app = await startApp({ scheduler: false });
  receiver = await startWebhookReceiver();
  projectId = await registerProject(app, project);
  await registerTask(app, project, 'double');
  await registerWorkflow(app, project, 'flow', { a: [] });
});
afterAll(async () => {
  await app.stop();
  await receiver.stop();
  await mail.stop();
});
beforeEach(() => {
  receiver.received.length = 0;
  (mail.mails as Answer[]).length = 0;
  mail.refuseWith(null);
  receiver.answerWith((_request, response) => response.writeHead(200).end());
});

const hook = (more: object = {}) => ({ phases: ['FAILED'], webhook: { url: receiver.url, ...more } });
const ada = { recipients: ['ada@example.com', 'bob@example.com'] };

/** An execution that a program from outside runs, so that a test can end it. */
const launched = (more: object = {}): Promise<string> =>
  make(
    app,
    'createExecution',
    { project, domain, engine: 'EXTERNAL', launchPlan: { key: keyOf(project, 'flow') }, ...more },
    'execution',
  );

const failure = { code: 'OOM', message: 'no memory', kind: 'USER' };
async function end(id: string, phase: string): Promise<Answer> {
  const error = phase === 'FAILED' ? { error: failure } : {};
  return await mutate(app, 'createWorkflowEvent', {
    ...{ execution: { id }, phase, occurredAt: '2026-01-01T00:00:00Z', ...error },
    ...(phase === 'SUCCEEDED' ? { outputs: { z: 1 } } : {}),
  });
}

async function deliveriesOf(id: string): Promise<Answer[]> {
  const { data, errors } = await app.ask(
    `query ($id: ID!) { execution(by: { id: $id }) { notificationDeliveries { totalCount nodes {
       id phase sink url recipients state nextAttemptAt deliveredAt createdAt attempts { at statusCode error } } } } }`,
    { id },
  );
  expect(errors).toBeUndefined();
  const { nodes, totalCount } = data.execution.notificationDeliveries;
  // The two are read one after the other, and a loop may have written rows in between.
  return totalCount === nodes.length ? nodes : await deliveriesOf(id);
}

const makeDue = (id: string) =>
  pool.query(
    `update notification_deliveries set next_attempt_at = now() - interval '1 second' where id = $1`,
    [id],
  );

/** Ends an execution and plans its notifications. @returns their ids, in the order of the notifications. */
async function told(phase: string, notifications: object[]): Promise<string[]> {
  const id = await launched({ notifications });
  expect(await end(id, phase)).toMatchObject({ __typename: 'CreateWorkflowEventPayload' });
  await planDeliveries(id);
  return (await deliveriesOf(id)).reverse().map((one) => one.id);
}

async function deliveryOf(id: string): Promise<Answer> {
  const { rows } = await pool.query('select execution_id from notification_deliveries where id = $1', [id]);
  return (await deliveriesOf(rows[0].execution_id)).find((one) => one.id === id);
}

describe('the end of an execution', () => {
  it('is told by the loops of the scheduler', async () => {
    const loops = [startPlanLoop(), startSendLoop()];
    const id = await launched({ notifications: [hook(), { phases: ['FAILED'], email: ada }] });
    await end(id, 'FAILED');
    const deliveries = await eventually(
      () => deliveriesOf(id),
      (found) => found.length === 2 && found.every((one) => one.state === 'DELIVERED'),
    );
    await Promise.all(loops.map((loop) => loop.stop()));
    expect(deliveries.map((one) => one.sink).sort()).toEqual(['EMAIL', 'WEBHOOK']);
    expect(receiver.received).toHaveLength(1);
    expect(mail.mails).toHaveLength(1);
  });

  it('is told once, however many schedulers look at the same time', async () => {
    const id = await launched({ notifications: [hook()] });
    await end(id, 'FAILED');
    await Promise.all(Array.from({ length: 5 }, () => planDeliveries(id)));
    await planDeliveries(id);
    const [delivery, ...others] = await deliveriesOf(id);
    expect(others).toEqual([]);
    await Promise.all(Array.from({ length: 5 }, () => sendDelivery(delivery.id)));
    await sendDelivery(delivery.id);
    expect(receiver.received).toHaveLength(1);
  });

  it('is told only for the phases that were asked for, and not before the end', async () => {
    const id = await launched({ notifications: [hook(), { phases: ['SUCCEEDED'], slack: ada }] });
    await mutate(app, 'createWorkflowEvent', {
      execution: { id },
      phase: 'RUNNING',
      occurredAt: '2026-01-01T00:00:00Z',
    });
    await planDeliveries(id);
    expect(await deliveriesOf(id)).toEqual([]);
    await end(id, 'SUCCEEDED');
    await planDeliveries(id);
    expect(await deliveriesOf(id)).toMatchObject([{ sink: 'SLACK', phase: 'SUCCEEDED', state: 'PENDING' }]);
  });

  it('leaves a notice in the same transaction, also if it is aborted', async () => {
    const id = await launched({ notifications: [{ phases: ['ABORTED'], email: ada }] });
    const notice = async () =>
      (await pool.query('select notify_at is not null as waits from executions where id = $1', [id])).rows[0]
        .waits;
    expect(await notice()).toBe(false);
    await end(id, 'ABORTED');
    expect(await notice()).toBe(true);
    await planDeliveries(id);
    expect(await notice()).toBe(false);
    expect(await deliveriesOf(id)).toMatchObject([{ phase: 'ABORTED' }]);
    const silent = await launched();
    await end(silent, 'FAILED');
    const { rows } = await pool.query('select notify_at from executions where id = $1', [silent]);
    expect(rows).toEqual([{ notify_at: null }]);
  });
});

describe('createExecution', () => {
  const notificationsOf = async (id: string) =>
    (
      await app.ask(
        'query ($id: ID!) { execution(by: { id: $id }) { notifications { phases email { recipients } slack { recipients } } } }',
        { id },
      )
    ).data.execution.notifications;

  it('freezes its own notifications, or none, or those of the launch plan', async () => {
    const key = keyOf(project, 'noisy');
    const byPlan = { phases: ['FAILED'], email: ada };
    await mutate(app, 'createLaunchPlan', {
      ...{ key, workflow: { key: keyOf(project, 'flow') }, defaultInputs: { x: 1 }, notifications: [byPlan] },
    });
    const launchPlan = { key };
    const own = { phases: ['ABORTED'], slack: ada };
    const asked = [
      [{}, [{ ...byPlan, slack: null }]],
      [{ notifications: [] }, [{ ...byPlan, slack: null }]],
      [{ disableNotifications: null }, [{ ...byPlan, slack: null }]],
      [{ disableNotifications: true }, []],
      [{ notifications: [own] }, [{ ...own, email: null }]],
      [{ notifications: [own], disableNotifications: true }, [{ ...own, email: null }]],
    ] as const;
    for (const [more, expected] of asked)
      expect(await notificationsOf(await launched({ launchPlan, ...more }))).toEqual(expected);
  });

  it('refuses notifications that are not valid, and names the field', async () => {
    const notifications = [{ phases: ['FAILED'], email: { recipients: [] } }];
    expect(
      await mutate(app, 'createExecution', {
        project,
        domain,
        launchPlan: { key: keyOf(project, 'flow') },
        notifications,
      }),
    ).toMatchObject({
      code: 'INVALID_ARGUMENT',
      path: ['input', 'notifications', '0', 'email', 'recipients'],
    });
  });
});

describe('a webhook', () => {
  it('gets what happened, signed with a key that managers of the project can read', async () => {
    const [id = ''] = await told('FAILED', [hook({ template: '{{ name }} has {{ phase }}: {{ error }}' })]);
    await sendDelivery(id);
    const [{ body, headers }] = receiver.received as Answer;
    const sent = JSON.parse(body);
    expect(sent).toMatchObject({
      ...{ id, type: 'execution.ended', text: `${sent.execution.name} has failed: no memory` },
      execution: { project, domain, phase: 'FAILED', error: failure, endedAt: '2026-01-01T00:00:00.000Z' },
      workflow: keyOf(project, 'flow'),
      launchPlan: keyOf(project, 'flow'),
    });
    expect(body).not.toContain(projectId);
    expect(headers['slipway-delivery']).toBe(id);
    const { data } = await app.ask(`{ webhookSigningKeys(project: "${project}") { keys } }`);
    expect(data.webhookSigningKeys.keys).toHaveLength(1);
    const [, time, signature] = /^t=(\d+),v1=(\w+)$/.exec(headers['slipway-signature'] ?? '') ?? [];
    const right = createHmac('sha256', data.webhookSigningKeys.keys[0])
      .update(`${time}.${body}`)
      .digest('hex');
    expect(signature).toBe(right);
    expect(await deliveryOf(id)).toMatchObject({
      ...{
        state: 'DELIVERED',
        url: receiver.url,
        recipients: [],
        nextAttemptAt: null,
        deliveredAt: expect.any(String),
      },
      attempts: [{ statusCode: 200, error: null }],
    });
  });

  it('has another key in another project, and nobody without MANAGE reads it', async () => {
    await registerProject(app, 'other');
    const keys = async (name: string) =>
      (await app.ask(`{ webhookSigningKeys(project: "${name}") { keys } }`)).data.webhookSigningKeys;
    expect(await keys('other')).not.toEqual(await keys(project));
    const { authorization } = await newUser({ grants: [{ type: 'PROJECT', id: projectId, level: 'EDIT' }] });
    const { errors } = await app.ask(
      `{ webhookSigningKeys(project: "${project}") { keys } }`,
      {},
      authorization,
    );
    expect(errors?.[0]?.extensions.code).toBe('PERMISSION_DENIED');
  });

  it('is tried 10 times, then given up, and sent again when somebody asks for it', async () => {
    receiver.answerWith((_request, response) => response.writeHead(500).end('secret of the receiver'));
    const [id = ''] = await told('FAILED', [hook()]);
    const pauses: number[] = [];
    for (let attempt = 1; attempt < 10; attempt += 1) {
      await makeDue(id);
      await sendDelivery(id);
      const { rows } = await pool.query(
        'select extract(epoch from next_attempt_at - updated_at)::int as pause from notification_deliveries where id = $1',
        [id],
      );
      pauses.push(rows[0].pause);
      expect(await deliveryOf(id)).toMatchObject({ state: 'PENDING' });
    }
    expect(pauses).toEqual([10, 20, 40, 80, 160, 320, 640, 1280, 2560]);
    await makeDue(id);
    await sendDelivery(id);
    const dead = await deliveryOf(id);
    expect(dead).toMatchObject({ state: 'DEAD', nextAttemptAt: null, deliveredAt: null });
    expect(dead.attempts).toHaveLength(10);
    expect(JSON.stringify(dead)).not.toContain('secret of the receiver');
    await sendDelivery(id);
    expect(receiver.received).toHaveLength(10);

    receiver.answerWith((_request, response) => response.writeHead(204).end());
    const again = await mutate(app, 'redeliverNotification', { id }, 'notificationDelivery { id state }');
    expect(again.notificationDelivery).toEqual({ id, state: 'PENDING' });
    expect(await mutate(app, 'redeliverNotification', { id })).toMatchObject({ code: 'FAILED_PRECONDITION' });
    await sendDelivery(id);
    const sent = await deliveryOf(id);
    expect(sent.state).toBe('DELIVERED');
    expect(sent.attempts.at(-1)).toMatchObject({ statusCode: 204 });
    expect(receiver.received.at(-1)?.body).toBe(receiver.received[0]?.body);
  });

  it('keeps at most 20 attempts in its log', async () => {
    receiver.answerWith((_request, response) => response.writeHead(500).end());
    const [id = ''] = await told('FAILED', [hook()]);
    await sendDelivery(id);
    await pool.query(
      `update notification_deliveries set attempts = 0, log = (select jsonb_agg(jsonb_build_object('at', now(), 'statusCode', n)) from generate_series(1, 20) as n) where id = $1`,
      [id],
    );
    await makeDue(id);
    await sendDelivery(id);
    const { attempts } = await deliveryOf(id);
    expect(attempts.map((one: Answer) => one.statusCode)).toEqual([
      ...Array.from({ length: 19 }, (_, index) => index + 2),
      500,
    ]);
  });

  it('that says 410 is given up at once', async () => {
    receiver.answerWith((_request, response) => response.writeHead(410).end());
    const [id = ''] = await told('FAILED', [hook()]);
    await sendDelivery(id);
    expect(await deliveryOf(id)).toMatchObject({ state: 'DEAD', attempts: [{ statusCode: 410 }] });
  });

  it('in a private network is refused', async () => {
    const url = receiver.url.replace('127.0.0.1', '127.0.0.2');
    const [id = ''] = await told('FAILED', [hook({ url })]);
    await sendDelivery(id);
    expect(await deliveryOf(id)).toMatchObject({
      state: 'DEAD',
      attempts: [{ statusCode: null, error: 'the address of the webhook is in a private network' }],
    });
  });

  it('of a scheduler that dies is sent by another one, when the claim is over', async () => {
    const [id = ''] = await told('FAILED', [hook()]);
    const now = async () => (await pool.query('select now() as now')).rows[0].now.getTime();
    const before = await now();
    const stale = await claimDelivery(id);
    expect(stale).not.toBeNull();
    // It lasts for 60 seconds. The column has milliseconds, so it may have been rounded up.
    const claimedAt = (stale?.nextAttemptAt?.getTime() ?? 0) - 60_000;
    expect(claimedAt).toBeGreaterThanOrEqual(before);
    expect(claimedAt).toBeLessThanOrEqual((await now()) + 1);
    await sendDelivery(id);
    expect(receiver.received).toEqual([]);
    await makeDue(id);
    await sendDelivery(id);
    expect(receiver.received).toHaveLength(1);
    const late = { at: new Date().toISOString(), statusCode: 500, error: 'late' };
    await recordAttempt({ id, claimId: stale?.claimId ?? '' }, 'PENDING', 10, late);
    expect(await deliveryOf(id)).toMatchObject({ state: 'DELIVERED', attempts: [{ statusCode: 200 }] });
  });

  it('that cannot even be tried fails without details, and is tried again', async () => {
    const [id = ''] = await told('FAILED', [hook()]);
    await pool.query(`update notification_deliveries set url = 'no URL' where id = $1`, [id]);
    await sendDelivery(id);
    expect(await deliveryOf(id)).toMatchObject({
      state: 'PENDING',
      attempts: [{ statusCode: null, error: 'the server could not send it' }],
    });
  });
});

describe('an e-mail', () => {
  it('goes to all recipients, with the configured sender, subject and text', async () => {
    const [email = '', pager = '', slack = ''] = await told('FAILED', [
      { phases: ['FAILED'], email: ada },
      { phases: ['FAILED'], pagerDuty: { recipients: ['pager@example.com'], template: '{{ error }}!' } },
      { phases: ['FAILED'], slack: { recipients: ['slack@example.com'] } },
    ]);
    for (const id of [email, pager, slack]) await sendDelivery(id);
    expect(mail.mails.map(({ from, to }) => [from, to])).toEqual([
      ['slipway@example.com', ada.recipients],
      ['slipway@example.com', ['pager@example.com']],
      ['slipway@example.com', ['slack@example.com']],
    ]);
    const [first, second] = mail.mails;
    expect(first?.content.replaceAll('?=\n =?UTF-8?Q?', '')).toContain(
      'Subject: =?UTF-8?Q?Notice=3A_Execution_=22flow=22_has_failed_in_=22development=22=2E?=',
    );
    expect(first?.content).toContain(`<${email}@slipway>`);
    expect(first?.content.replaceAll('=\n', '')).toContain(
      `has failed in "${project}/development". no memory`,
    );
    expect(second?.content).toContain('\nno memory!');
    expect(await deliveryOf(pager)).toMatchObject({
      ...{ state: 'DELIVERED', sink: 'PAGER_DUTY', url: null },
      attempts: [{ statusCode: null, error: null }],
    });
  });

  it('goes to addresses only, not to the name of a channel', async () => {
    const [one = '', none = ''] = await told('FAILED', [
      { phases: ['FAILED'], slack: { recipients: ['#ops', 'slack@example.com'] } },
      { phases: ['FAILED'], pagerDuty: { recipients: ['#ops'] } },
    ]);
    for (const id of [one, none]) await sendDelivery(id);
    expect(mail.mails.map(({ to }) => to)).toEqual([['slack@example.com']]);
    expect(await deliveryOf(one)).toMatchObject({
      state: 'DELIVERED',
      attempts: [{ error: '1 recipients are no e-mail addresses' }],
    });
    expect(await deliveryOf(none)).toMatchObject({
      state: 'DEAD',
      attempts: [{ error: 'none of the recipients is an e-mail address' }],
    });
  });

  it('that the server refuses is tried again', async () => {
    mail.refuseWith('451 later');
    const [id = ''] = await told('FAILED', [{ phases: ['FAILED'], email: ada }]);
    await sendDelivery(id);
    expect(await deliveryOf(id)).toMatchObject({
      state: 'PENDING',
      attempts: [{ statusCode: null, error: 'the mail server refused it with code 451' }],
    });
    mail.refuseWith(null);
    await makeDue(id);
    await sendDelivery(id);
    expect(mail.mails).toHaveLength(1);
  });

  it('has one subject, whatever the names contain', async () => {
    const name = 'flow\r\nBcc: eve@example.com';
    await registerWorkflow(app, project, name, { a: [] });
    const notifications = [{ phases: ['FAILED'], email: ada }];
    const id = await launched({ launchPlan: { key: keyOf(project, name) }, notifications });
    await end(id, 'FAILED');
    await planDeliveries(id);
    const [delivery] = await deliveriesOf(id);
    await sendDelivery(delivery.id);
    const [head = ''] = (mail.mails[0]?.content ?? '').split('\n\n');
    expect(head).not.toMatch(/^Bcc:/m);
    expect(mail.mails[0]?.to).toEqual(ada.recipients);
  });
});

describe('redeliverNotification', () => {
  it('is hidden from those who may not read the execution, and requires EDIT', async () => {
    const [id = ''] = await told('FAILED', [hook()]);
    await sendDelivery(id);
    const stranger = await newUser({});
    const reader = await newUser({ grants: [{ type: 'PROJECT', id: projectId, level: 'READ' }] });
    const redeliver = (authorization: string, asked = id) =>
      mutate(app, 'redeliverNotification', { id: asked }, '', authorization);
    const absent = '01999999-0000-7000-8000-000000000000';
    const hidden = await redeliver(stranger.authorization);
    expect(hidden).toMatchObject({ code: 'NOT_FOUND' });
    expect(JSON.stringify(hidden).replaceAll(id, absent)).toBe(
      JSON.stringify(await redeliver(stranger.authorization, absent)),
    );
    expect(await redeliver(reader.authorization)).toMatchObject({ code: 'PERMISSION_DENIED' });
    expect(await redeliver(app.admin, 'no id')).toMatchObject({ code: 'NOT_FOUND' });
  });
});
