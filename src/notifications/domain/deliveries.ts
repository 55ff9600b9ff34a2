import type { NotificationSink } from '../../generated/prisma/enums.ts';
import type { EntityKey } from '../../registry/domain/entity-keys.ts';
import type { Notification } from '../../registry/domain/notifications.ts';
import { oneLine, renderTemplate, type TemplateValues } from './templates.ts';

/** The texts that the operator has configured. */
export interface StandardTexts {
  readonly subject: string;
  readonly text: string;
}

/** The execution that has ended. */
export interface EndedExecution {
  readonly id: string;
  readonly project: string;
  readonly domain: string;
  readonly name: string;
  readonly phase: string;
  readonly error: { readonly code: string; readonly message: string; readonly kind: string } | null;
  readonly abortCause: string | null;
  readonly scheduledAt: Date | null;
  readonly startedAt: Date | null;
  readonly endedAt: Date | null;
  readonly workflow: EntityKey | null;
  readonly launchPlan: EntityKey | null;
}

/** A notification as it is sent. */
export interface PlannedDelivery {
  readonly position: number;
  readonly sink: NotificationSink;
  readonly url: string | null;
  readonly recipients: readonly string[];
  readonly content: EmailContent | object;
}

export interface EmailContent {
  readonly subject: string;
  readonly text: string;
}

const sinks = { email: 'EMAIL', pagerDuty: 'PAGER_DUTY', slack: 'SLACK' } as const;
const nothing: EntityKey = { project: '', domain: '', name: '', version: '' };

const valuesOf = (execution: EndedExecution): TemplateValues => ({
  project: execution.project,
  domain: execution.domain,
  name: execution.name,
  phase: execution.phase.toLowerCase(),
  error: execution.error?.message ?? '',
  workflow: execution.workflow ?? nothing,
  launch_plan: execution.launchPlan ?? nothing,
});

/** The notifications whose phase the execution has reached, with their texts. */
export function planned(
  notifications: readonly Notification[],
  execution: EndedExecution,
  standard: StandardTexts,
): PlannedDelivery[] {
  const values = valuesOf(execution);
  return notifications.flatMap((notification, position): PlannedDelivery[] => {
    if (!notification.phases.some((phase) => phase === execution.phase)) return [];
    const { webhook } = notification;
    if (webhook) {
      const text = renderTemplate(webhook.template ?? standard.text, values);
      return [
        {
          position,
          sink: 'WEBHOOK' as const,
          url: webhook.url,
          recipients: [],
          content: webhookBody(execution, text),
        },
      ];
    }
    const subject = oneLine(renderTemplate(standard.subject, values));
    return (['email', 'pagerDuty', 'slack'] as const).flatMap((sink) => {
      const to = notification[sink];
      if (!to) return [];
      const text = renderTemplate(to.template ?? standard.text, values);
      return [
        { position, sink: sinks[sink], url: null, recipients: to.recipients, content: { subject, text } },
      ];
    });
  });
}

/** The JSON that a webhook gets. `text` is where Slack's incoming webhooks look. */
function webhookBody(execution: EndedExecution, text: string): object {
  const { workflow, launchPlan, ...rest } = execution;
  return { type: 'execution.ended', text, execution: rest, workflow, launchPlan };
}
