import { inTransaction, type Tx } from '../../platform/database/transaction.ts';
import { dividePlaces } from '../domain/budgets.ts';
import {
  addPlaces,
  clearLooks,
  countFreePlaces,
  lockGroup,
  lockWaiting,
  lookAgain,
} from '../store/budget-shares.ts';

/** How many executions get places in one transaction. */
const MAX_WAITING = 200;

/**
 * Gives the free places of a group of executions to those that wait for one, and asks for a turn of each. Who has waited
 * longest gets the first place, and nobody gets a second one before the others had one.
 *
 * @param ownerId  the outermost execution whose limit the group shares.
 * @returns the executions that have got places.
 *
 * An execution that another transaction has locked gets nothing now. If that is a turn which leaves it waiting, the turn
 * asks for places again when it ends.
 */
export async function givePlaces(ownerId: string): Promise<string[]> {
  const all: string[] = [];
  // Each round gives at least one place, or is the last one.
  for (let hasMore = true; hasMore; ) {
    const round = await inTransaction((tx) => giveSome(tx, ownerId));
    all.push(...round.ids);
    hasMore = round.hasMore;
  }
  return all;
}

async function giveSome(tx: Tx, ownerId: string): Promise<{ ids: string[]; hasMore: boolean }> {
  await lockGroup(tx, ownerId);
  await clearLooks(tx, ownerId);
  const free = await countFreePlaces(tx, ownerId);
  const full = fullOnes(free);
  if (full.includes(ownerId)) return { ids: [], hasMore: false };
  const waiting = await lockWaiting(tx, ownerId, full, MAX_WAITING);
  const { given, left } = dividePlaces(waiting, free);
  if (given.size > 0) await addPlaces(tx, given);
  const hasMore = waiting.length === MAX_WAITING;
  if (!hasMore) await lookAgain(tx, ownerId, fullOnes(left));
  return { ids: [...given.keys()], hasMore };
}

const fullOnes = (free: ReadonlyMap<string, number>): string[] =>
  [...free].flatMap(([id, places]) => (places <= 0 ? [id] : []));
