/**
 * Goes through groups, some of them at a time, from the lowest id to the highest and then from the lowest again. So a
 * look reaches each of them in the end, however many there are. A crash only makes it begin anew.
 *
 * @param list  gives the groups after an id, the lowest first, at most the limit; null stands before the first one.
 */
export function groupsInTurn(
  list: (afterId: string | null, limit: number) => Promise<readonly string[]>,
  limit: number,
): () => Promise<readonly string[]> {
  let afterId: string | null = null;
  return async () => {
    const ids = await list(afterId, limit);
    afterId = ids.length < limit ? null : (ids.at(-1) ?? null);
    return ids;
  };
}
