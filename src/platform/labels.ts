import type { Problem } from './errors.ts';

const labelName = /^([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)$/;
const labelPrefix = /^(?=.{1,253}$)[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
const labelValue = /^([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?$/;
const MAX_LABELS = 16;

/** Labels follow the rules of Kubernetes: at most 16, with qualified names and short values. */
export function labelProblems(labels: Readonly<Record<string, string>>, path: readonly string[]): Problem[] {
  const problems: Problem[] = [];
  const entries = Object.entries(labels);
  if (entries.length > MAX_LABELS)
    problems.push({
      path,
      code: 'InvalidValue',
      message: `must have at most ${MAX_LABELS} labels`,
    });
  for (const [key, value] of entries.slice(0, MAX_LABELS)) {
    const slash = key.indexOf('/');
    const prefixIsGood = slash < 0 || labelPrefix.test(key.slice(0, slash));
    if (!prefixIsGood || !labelName.test(key.slice(slash + 1)))
      problems.push({
        path: [...path, key],
        code: 'InvalidValue',
        message: 'the key is not a valid label key',
      });
    if (!labelValue.test(value))
      problems.push({
        path: [...path, key],
        code: 'InvalidValue',
        message: 'the value is not a valid label value',
      });
  }
  return problems;
}
