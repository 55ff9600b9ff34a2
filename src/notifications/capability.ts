import type { Capability } from '../graphql/capability.ts';
import { notificationLoaders } from './loaders.ts';
import { notificationRules } from './rules.ts';
import './graphql/notification-delivery.ts';

export const notifications: Capability = {
  rules: [notificationRules],
  loaders: notificationLoaders,
};
