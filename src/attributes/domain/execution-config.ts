import type { WorkflowExecutionConfig } from './payloads.ts';

/** What the service gives each execution that nothing else configures. Source: the default of Flyte. */
export const serviceExecutionConfig = { maxParallelism: 25 } as const satisfies WorkflowExecutionConfig;

/** The configuration with the fields that it does not set taken from the service. */
export function withServiceDefaults(config: WorkflowExecutionConfig): WorkflowExecutionConfig {
  return { ...config, maxParallelism: config.maxParallelism || serviceExecutionConfig.maxParallelism };
}
