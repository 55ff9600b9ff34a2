import { builder } from './builder.ts';

export const ResourceTypeEnum = builder.enumType('ResourceType', {
  description: 'What levels are granted on. TENANT is everything of the tenant.',
  values: ['TENANT', 'PROJECT', 'EXPERIMENT', 'REGISTERED_MODEL', 'WORKFLOW', 'QUEUE'] as const,
});
