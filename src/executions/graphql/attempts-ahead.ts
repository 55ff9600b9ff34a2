import type { GraphQLResolveInfo } from 'graphql';
import { selectionOf } from '../../graphql/execution/selection.ts';
import { objectsOf, pageOf } from '../../graphql/keyset.ts';
import { taskColumns } from '../store/columns.ts';
import type { AttemptsPage } from '../store/nodes-with-attempts.ts';
import { taskOrder } from '../store/part-lists.ts';
import { type TaskListArguments, taskFilterOf } from './task-list-arguments.ts';

/** The attempts that are read in one statement with the nodes of a list. */

/** The pages by the arguments that ask for them. A field of one request has the same arguments for all objects. */
const pages = new WeakMap<object, AttemptsPage | null>();

/**
 * The page of attempts that is selected inside of a list of nodes. Of several, it is the first. Null if there is none, or
 * if it must be read by itself: with filters, with columns that are not brief, or with an argument that is refused.
 */
export function attemptsAhead(info: GraphQLResolveInfo): AttemptsPage | null {
  const selected = selectionOf(info);
  const [attempts] = selected ? objectsOf(selected).flatMap((node) => node.all('taskExecutions')) : [];
  if (!attempts) return null;
  let args: TaskListArguments;
  try {
    args = attempts.argumentsIn(info);
  } catch {
    // The field itself answers this error.
    return null;
  }
  const known = pages.get(args);
  if (known !== undefined) return known;
  const { filter, orderBy, ...given } = args;
  let found: AttemptsPage | null = null;
  try {
    const shown = taskFilterOf({ orderBy });
    const page = pageOf(given, taskOrder(shown), { selected: attempts, columns: taskColumns });
    if (filter == null && page.isBrief) found = { ...shown, page };
  } catch {
    // The same.
  }
  pages.set(args, found);
  return found;
}

/** Whether a page of attempts that was read ahead is that of a field with these arguments. */
export const isPageOf = (asked: AttemptsPage, args: TaskListArguments): boolean => pages.get(args) === asked;
