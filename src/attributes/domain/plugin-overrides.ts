import type { PluginOverride } from './payloads.ts';

/** The stored overrides, where each given override replaces the one of the same type of task, or comes last. */
export function mergedOverrides(
  stored: readonly PluginOverride[],
  given: readonly PluginOverride[],
): PluginOverride[] {
  return [...new Map([...stored, ...given].map((override) => [override.taskType, override])).values()];
}
