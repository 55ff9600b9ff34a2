import { listNotices } from '../executions/store/notices.ts';
import { planDeliveries } from '../notifications/commands/plan-deliveries.ts';
import { sendDelivery } from '../notifications/commands/send-delivery.ts';
import { listDueDeliveries } from '../notifications/store/deliveries.ts';
import { type Loop, startLoop } from './loop.ts';

const LOOK_MS = 1000;
const BATCH = 200;

/** Writes the notifications of executions that have ended. */
export const startPlanLoop = (): Loop =>
  startLoop({
    name: 'plan-notifications',
    everyMs: LOOK_MS,
    concurrency: 2,
    due: () => listNotices(BATCH),
    each: planDeliveries,
  });

/** Sends notifications. Most of the time goes into waiting for receivers, so many are sent at the same time. */
export const startSendLoop = (): Loop =>
  startLoop({
    name: 'send-notifications',
    everyMs: LOOK_MS,
    concurrency: 16,
    due: () => listDueDeliveries(BATCH),
    each: sendDelivery,
  });
