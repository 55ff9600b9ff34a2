import { createHash } from 'node:crypto';

/**
 * The cluster that a new execution is given to: one of those with its label, or one of all if no cluster has the label.
 * The choice depends only on the name of the execution, so a repeated request chooses the same one. Null if there are
 * no clusters.
 *
 * @param clusters  labels with the clusters that have them.
 */
export function clusterFor(
  executionName: string,
  label: string | null,
  clusters: readonly (readonly [label: string, cluster: string])[],
): string | null {
  const labelled = clusters.filter(([one]) => one === label);
  const candidates = [...new Set((labelled.length > 0 ? labelled : clusters).map(([, cluster]) => cluster))];
  const number = createHash('sha256').update(executionName).digest().readUInt32BE(0);
  return candidates.sort()[number % candidates.length] ?? null;
}
