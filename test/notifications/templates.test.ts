import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { planned } from '../../src/notifications/domain/deliveries.ts';
import { MAX_ATTEMPTS, pauseSeconds } from '../../src/notifications/domain/retries.ts';
import { signatureHeader } from '../../src/notifications/domain/signature.ts';
import { oneLine, renderTemplate } from '../../src/notifications/domain/templates.ts';
import { isStorable } from '../../src/platform/text.ts';

const workflow = { project: 'wp', domain: 'wd', name: 'wn', version: 'wv' };
const launchPlan = { project: 'lp', domain: 'ld', name: 'ln', version: 'lv' };
const values = {
  ...{ project: 'p', domain: 'd', name: 'n', phase: 'failed', error: 'no memory' },
  ...{ workflow, launch_plan: launchPlan },
};

describe('a template', () => {
  it.each([
    ['{{ project }}/{{domain}}/{{  name}}', 'p/d/n'],
    ['{{ phase }}: {{ error }}', 'failed: no memory'],
    ['{{ workflow.project }} {{workflow.domain}} {{ workflow.name }} {{ workflow.version }}', 'wp wd wn wv'],
    [
      '{{ launch_plan.project }} {{ launch_plan.domain }} {{ launch_plan.name }} {{ launch_plan.version }}',
      'lp ld ln lv',
    ],
    [
      '{{ unknown }} {{ workflow }} {{ workflow.owner }} {{ name.domain }} { name }',
      '{{ unknown }} {{ workflow }} {{ workflow.owner }} {{ name.domain }} { name }',
    ],
    ['{{{{ name }}}}', '{{n}}'],
  ])('has placeholders: %s', (template, expected) => {
    expect(renderTemplate(template, values)).toBe(expected);
  });

  it('reads no placeholders in values', () => {
    const error = '{{ name }} $1 $& {{ error }}';
    expect(renderTemplate('{{ error }}', { ...values, error })).toBe(error);
    fc.assert(
      fc.property(fc.string(), (text) => {
        fc.pre(isStorable(text));
        expect(renderTemplate('<{{ error }}>', { ...values, error: text })).toBe(`<${text}>`);
      }),
    );
  });

  it('gives a text of at most 64 KiB, also for many long errors', () => {
    const text = renderTemplate('{{ error }}'.repeat(500), { ...values, error: 'x'.repeat(10_000) });
    expect(text).toHaveLength(64 * 1024);
  });

  it('gives one line as a subject', () => {
    expect(oneLine('a\r\nBcc: b@example.com\u0000\tc  ')).toBe('a Bcc: b@example.com c');
    expect(oneLine('x'.repeat(1000))).toHaveLength(250);
  });
});

describe('the notifications of an execution', () => {
  const ended = {
    ...{ id: 'e', project: 'p', domain: 'd', name: 'n', abortCause: null, workflow, launchPlan },
    ...{ scheduledAt: null, startedAt: null, endedAt: new Date(0) },
    error: { code: 'OOM', message: 'no memory', kind: 'USER' },
  };
  const standard = { subject: '{{ name }} has {{ phase }}', text: 'standard {{ phase }}' };
  const to = { recipients: ['ada@example.com'] };

  it('are those whose phase it has reached', () => {
    const notifications = [
      { phases: ['SUCCEEDED'] as const, email: to },
      { phases: ['FAILED', 'SUCCEEDED'] as const, email: to },
      { phases: ['FAILED'] as const, pagerDuty: { ...to, template: 'own {{ error }}' } },
      { phases: ['ABORTED'] as const, slack: to },
      { phases: ['FAILED'] as const, webhook: { url: 'https://example.com' } },
    ];
    const deliveries = planned(notifications, { ...ended, phase: 'FAILED' }, standard);
    expect(deliveries.map(({ position, sink }) => [position, sink])).toEqual([
      [1, 'EMAIL'],
      [2, 'PAGER_DUTY'],
      [4, 'WEBHOOK'],
    ]);
    expect(deliveries[0]?.content).toEqual({ subject: 'n has failed', text: 'standard failed' });
    expect(deliveries[1]?.content).toEqual({ subject: 'n has failed', text: 'own no memory' });
    expect(deliveries[2]).toMatchObject({
      url: 'https://example.com',
      recipients: [],
      content: {
        type: 'execution.ended',
        text: 'standard failed',
        workflow,
        launchPlan,
        execution: { id: 'e' },
      },
    });
    expect(planned(notifications, { ...ended, phase: 'TIMED_OUT' }, standard)).toEqual([]);
  });

  it('name the workflow and the launch plan, and nothing where there are none', () => {
    const template = '{{ workflow.name }}, {{ launch_plan.version }}, {{ error }}';
    const hook = { phases: ['FAILED'] as const, webhook: { url: 'https://example.com', template } };
    const textOf = (more: object) => {
      const [delivery] = planned([hook], { ...ended, phase: 'FAILED', ...more }, standard);
      return (delivery?.content as { text: string } | undefined)?.text;
    };
    expect(textOf({})).toBe('wn, lv, no memory');
    expect(textOf({ workflow: null, launchPlan: null, error: null })).toBe(', , ');
  });
});

it('a signature names its time in whole seconds', () => {
  const header = signatureHeader(['k'], '{}', new Date(1_700_000_000_999));
  const right = createHmac('sha256', 'k').update('1700000000.{}').digest('hex');
  expect(header).toBe(`t=1700000000,v1=${right}`);
});

it('attempts come after longer and longer pauses, up to an hour', () => {
  const pauses = Array.from({ length: MAX_ATTEMPTS + 5 }, (_, index) => pauseSeconds(index + 1));
  expect(pauses.slice(0, 4)).toEqual([10, 20, 40, 80]);
  expect(Math.max(...pauses)).toBe(3600);
});
