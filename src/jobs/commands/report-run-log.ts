import type { Caller } from '../../platform/caller.ts';
import { InvalidArgumentError, type Problem } from '../../platform/errors.ts';
import { isId } from '../../platform/ids.ts';
import { storable } from '../../platform/text.ts';
import { type LogReport, storeLog } from '../store/logs.ts';

const MAX_CHUNKS = 200;
const MAX_CHUNK_CHARACTERS = 64 * 1024;
/** The number after it must be storable, too. */
const MAX_SEQUENCE = 2 ** 31 - 2;

/**
 * Stores the output of a run, also for some time after its end, because the last pieces arrive late. Repeated pieces
 * are ignored, and so is everything after the limit of the run, or after its executor has said that nothing more comes.
 *
 * @returns how many pieces were stored. @throws InvalidArgumentError with the piece.
 */
export async function reportRunLog(
  caller: Caller,
  runId: string,
  { chunks, isComplete }: LogReport,
): Promise<number> {
  const problems: Problem[] = [];
  const fault = (path: readonly string[], message: string) =>
    problems.push({ path: ['input', ...path], code: 'InvalidValue', message });
  if (chunks.length > MAX_CHUNKS) fault(['chunks'], `must have at most ${MAX_CHUNKS} chunks`);
  for (const [index, chunk] of chunks.slice(0, MAX_CHUNKS).entries()) {
    if (chunk.sequence < 0 || chunk.sequence > MAX_SEQUENCE)
      fault(['chunks', String(index), 'sequence'], `must be from 0 to ${MAX_SEQUENCE}`);
    if (chunk.text.length > MAX_CHUNK_CHARACTERS)
      fault(['chunks', String(index), 'text'], `must have at most ${MAX_CHUNK_CHARACTERS} characters`);
  }
  if (problems.length > 0) throw new InvalidArgumentError(problems);
  if (!isId(runId)) return 0;
  const clean = chunks.map((chunk) => ({
    ...chunk,
    text: storable(chunk.text),
  }));
  return await storeLog(caller.userId, runId, { chunks: clean, isComplete });
}
