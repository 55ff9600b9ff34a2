import DataLoader from 'dataloader';
import type { Reader } from '../authorization/store/readable.ts';
import { childCounter, childLoader } from '../platform/loaders.ts';
import {
  countDeliveriesOfExecutions,
  type DeliveryRow,
  readDeliveries,
  readDeliveriesOfExecutions,
} from './store/deliveries.ts';

export function notificationLoaders({ tenantId }: Reader) {
  return {
    delivery: new DataLoader<string, DeliveryRow | null>((ids) => readDeliveries(tenantId, ids)),
    deliveriesOfExecution: childLoader(readDeliveriesOfExecutions, (row) => row.executionId),
    deliveryCount: childCounter(countDeliveriesOfExecutions),
  };
}

type NotificationLoaders = ReturnType<typeof notificationLoaders>;

declare module '../graphql/context.ts' {
  interface Loaders extends NotificationLoaders {}
}
