import { InvalidArgumentError, type Problem } from '../../platform/errors.ts';

export type Tags = Readonly<Record<string, string>>;

const MAX_TAGS = 100;
const MAX_KEY = 250;
const MAX_VALUE = 5000;

const path = ['input', 'tags'];

/** All problems of the given tags. Source: MLflow's limits. */
export function tagProblems(tags: Tags): Problem[] {
  const entries = Object.entries(tags);
  if (entries.length > MAX_TAGS)
    return [{ path, code: 'InvalidValue', message: `must have at most ${MAX_TAGS} tags` }];
  return entries.flatMap(([key, value]) => {
    const fault = (message: string) => [{ path: [...path, key], code: 'InvalidValue', message }];
    if (key === '' || key.length > MAX_KEY) return fault(`a key must have 1 to ${MAX_KEY} characters`);
    return value.length > MAX_VALUE ? fault(`must have at most ${MAX_VALUE} characters`) : [];
  });
}

/** The stored tags with the given ones added or replaced. @throws InvalidArgumentError for too many tags. */
export function tagsWith(tags: unknown, given: Tags): Tags {
  const all = { ...(tags as Tags), ...given };
  if (Object.keys(all).length > MAX_TAGS)
    throw InvalidArgumentError.of(path, `there can be at most ${MAX_TAGS} tags`);
  return all;
}

/** The stored tags without these keys. Keys that do not exist are ignored. */
export function tagsWithout(tags: unknown, keys: readonly string[]): Tags {
  const gone = new Set(keys);
  return Object.fromEntries(Object.entries(tags as Tags).filter(([key]) => !gone.has(key)));
}
