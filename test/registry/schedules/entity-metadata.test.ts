/** What a launch plan may say about its schedule and its notifications, to the last value that fits. */
import { describe, expect, it } from 'vitest';
import { compileEntityMetadata, entityMetadataIn } from '../../../src/registry/domain/entity-metadata.ts';
import { notificationPhases, notifications } from '../../../src/registry/domain/notifications.ts';
import { faultsOf, faultsThrown, readBy } from '../outcomes.ts';

const flyte = ['input', 'flyte'];
const noInputs = { expectedInputs: {} };
const withInput = (simple: 'DATETIME' | 'INTEGER') => ({
  expectedInputs: { at: { var: { type: { simple } }, required: true as const } },
});
const faults = (
  given: object,
  path?: readonly string[],
  inputs: Parameters<typeof compileEntityMetadata>[1] = noInputs,
) => faultsThrown(() => compileEntityMetadata(given, inputs, path));

const daily = { cron: { expression: '@daily' } };
const offset = (text: string) => ({ cron: { expression: '@daily', offset: text } });
const rate = (value: number, unit = 'DAY') => ({ rate: { value, unit } });
const catchUp = (limit: number) => ({ ...daily, catchUp: { policy: 'ALL', limit } });

describe('a schedule', () => {
  it.each([
    ['no offset', offset('PT0S')],
    ['an offset of 31 days', offset('P31D')],
    ['a time zone', { cron: { expression: '@daily', timeZone: 'Europe/Berlin' } }],
    ['a distance without a time zone', { cron: { expression: '@every 1h' } }],
    ['a rate of 3660 days', rate(3660)],
    ['a rate of as many minutes', rate(3660 * 1440, 'MINUTE')],
    ['1 missed slot', catchUp(1)],
    ['1000 missed slots', catchUp(1000)],
  ])('may have %s', (_what, schedule) => {
    expect(compileEntityMetadata({ schedule }, noInputs)).toEqual({ schedule });
  });

  it.each([
    ['an offset of more than 31 days', offset('P31DT0.01S'), 'times.cron.offset'],
    ['a negative offset', offset('-PT1S'), 'times.cron.offset'],
    ['an offset that is no duration', offset('soon'), 'times.cron.offset'],
    [
      'a distance with a time zone',
      { cron: { expression: ' @every 1h', timeZone: 'UTC' } },
      'times.cron.timeZone',
    ],
    ['a rate of 3661 days', rate(3661), 'times.rate.value'],
    ['a rate of a minute more than 3660 days', rate(3660 * 1440 + 1, 'MINUTE'), 'times.rate.value'],
    ['no missed slot', catchUp(0), 'catchUpLimit'],
    ['1001 missed slots', catchUp(1001), 'catchUpLimit'],
  ])('cannot have %s', (_what, schedule, field) => {
    expect(faults({ schedule })).toEqual([`InvalidValue input.schedule.${field}`]);
  });

  it.each([
    ['times of both kinds', { ...daily, ...rate(1) }, 'InvalidValue schedule'],
    [
      'an expression that is no text',
      { cron: { expression: 5 } },
      'InvalidValue schedule.cronSchedule.schedule',
    ],
    ['a rate above all numbers', rate(2 ** 53), 'InvalidValue schedule.rate.value'],
    ['the old expression', { cronExpression: '0 0 * * ? *' }, 'InvalidValue schedule.cronExpression'],
  ])("cannot have %s in Flyte's form", (_what, schedule, fault) => {
    const [code, field] = fault.split(' ');
    expect(faults({ schedule }, flyte)).toEqual([`${code} input.flyte.entityMetadata.${field}`]);
  });

  it("may be without slots only in Flyte's form, and then needs no inputs", () => {
    for (const schedule of [{ rate: { value: 0, unit: 'HOUR' } }, { cron: { expression: '' } }]) {
      expect(compileEntityMetadata({ schedule }, withInput('INTEGER'), flyte)).toEqual({ schedule });
      expect(faults({ schedule })).toEqual(['InvalidValue input.schedule']);
    }
  });

  it('gives its time to an input of the type DATETIME, and nothing to other inputs', () => {
    const schedule = { ...daily, kickoffTimeInput: 'at' };
    expect(compileEntityMetadata({ schedule }, withInput('DATETIME'))).toEqual({ schedule });
    expect(faults({ schedule }, undefined, withInput('INTEGER'))).toEqual([
      'MismatchingTypes input.schedule.kickoffTimeInput',
    ]);
    expect(faults({ schedule: daily }, undefined, withInput('DATETIME'))).toEqual([
      'MissingField input.schedule',
    ]);
    expect(faults({ schedule })).toEqual(['VariableNameNotFound input.schedule.kickoffTimeInput']);
  });
});

describe('what a launch plan does by itself', () => {
  const notification = { phases: ['FAILED'], slack: { recipients: ['#ops'] } };

  it('is a schedule, notifications, or both', () => {
    const compile = (given: unknown) => compileEntityMetadata(given, noInputs);
    const both = { schedule: daily, notifications: [notification] };
    expect(compile(both)).toEqual(both);
    expect(compile({ schedule: daily, notifications: [] })).toEqual({ schedule: daily });
    expect(compile({ notifications: [notification] })).toEqual({ notifications: [notification] });
  });

  it.each([undefined, {}, { notifications: [] }, { schedule: null, notifications: null }])(
    'is nothing if it is %j',
    (given) => {
      expect(compileEntityMetadata(given, noInputs)).toBeUndefined();
    },
  );

  it('is found in the document of the launch plan', () => {
    expect(entityMetadataIn({ entityMetadata: { schedule: daily } })).toEqual({ schedule: daily });
    expect(entityMetadataIn({})).toEqual({});
  });
});

const many = <T>(count: number, item: T) => Array.from({ length: count }, () => item);
const phases = ['FAILED'];
const webhook = (url: string) => ({ phases, webhook: { url } });
const template = (length: number) => ({
  phases,
  webhook: { url: 'https://example.com', template: 'a'.repeat(length) },
});
const recipients = (...list: string[]) => ({ phases, email: { recipients: list } });
const address = (length: number) => 'ada@example.com'.padStart(length, 'a');
const channel = (length: number) => ({ phases, slack: { recipients: ['c'.repeat(length)] } });
const url = (length: number) => 'https://example.com/'.padEnd(length, 'a');

describe('notifications', () => {
  it.each([
    ['20 of them', many(20, recipients('ada@example.com'))],
    ['50 recipients', [recipients(...many(50, 'ada@example.com'))]],
    ['all phases', [{ ...recipients('ada@example.com'), phases: notificationPhases }]],
    ['an address of 320 characters', [recipients(address(320))]],
    ['a channel of 320 characters', [channel(320)]],
    ['a template of 10,000 characters', [template(10_000)]],
    ['a URL of 2048 characters', [webhook(url(2048))]],
    ['a URL with http', [webhook('http://example.com')]],
  ])('may have %s', (_what, given) => {
    expect(readBy(notifications, given)).toEqual({ ok: true, value: given });
  });

  it.each([
    ['21 of them', many(21, recipients('ada@example.com')), ''],
    ['51 recipients', [recipients(...many(51, 'ada@example.com'))], '0.email.recipients'],
    [
      'a phase more than there are',
      [{ ...recipients('ada@example.com'), phases: [...notificationPhases, 'FAILED'] }],
      '0.phases',
    ],
    ['an address of 321 characters', [recipients(address(321))], '0.email.recipients.0'],
    ['a channel of 321 characters', [channel(321)], '0.slack.recipients.0'],
    ['a template of 10,001 characters', [template(10_001)], '0.webhook.template'],
    ['a URL of 2049 characters', [webhook(url(2049))], '0.webhook.url'],
    ['a URL that is none', [webhook('example')], '0.webhook.url'],
    ['a URL with ftp', [webhook('ftp://example.com')], '0.webhook.url'],
    ['a URL with a user', [webhook('https://ada@example.com')], '0.webhook.url'],
    ['a URL with a password', [webhook('https://:secret@example.com')], '0.webhook.url'],
  ])('cannot have %s', (_what, given, path) => {
    expect(faultsOf(readBy(notifications, given))).toEqual([`InvalidValue ${path}`]);
  });
});
