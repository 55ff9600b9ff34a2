import type { LogStream } from '../../generated/prisma/enums.ts';
import type { Caller } from '../../platform/caller.ts';
import { InvalidArgumentError, type Problem } from '../../platform/errors.ts';
import { isId } from '../../platform/ids.ts';
import { storable } from '../../platform/text.ts';
import { storeLog } from '../store/logs.ts';

export interface LogChunk {
  readonly sequence: number;
  readonly stream: LogStream;
  readonly text: string;
  readonly printedAt: Date;
}

const MAX_CHUNKS = 200;
const MAX_CHUNK_CHARACTERS = 64 * 1024;

/**
 * Stores the output of a run, also for some time after its end, because the last pieces arrive late. Repeated pieces
 * are ignored, and so is everything after the limit of the run.
 *
 * @returns how many pieces were stored. @throws InvalidArgumentError with the piece.
 */
export async function reportRunLog(
  caller: Caller,
  runId: string,
  chunks: readonly LogChunk[],
): Promise<number> {
  const problems: Problem[] = [];
  const fault = (path: readonly string[], message: string) =>
    problems.push({ path: ['input', ...path], code: 'InvalidValue', message });
  if (chunks.length > MAX_CHUNKS) fault(['chunks'], `must have at most ${MAX_CHUNKS} chunks`);
  for (const [index, chunk] of chunks.slice(0, MAX_CHUNKS).entries()) {
    if (chunk.sequence < 0) fault(['chunks', String(index), 'sequence'], 'must not be negative');
    if (chunk.text.length > MAX_CHUNK_CHARACTERS)
      fault(['chunks', String(index), 'text'], `must have at most ${MAX_CHUNK_CHARACTERS} characters`);
  }
  if (problems.length > 0) throw new InvalidArgumentError(problems);
  if (!isId(runId)) return 0;
  const clean = chunks.map((chunk) => ({
    ...chunk,
    text: storable(chunk.text),
  }));
  return await storeLog(caller.userId, runId, clean);
}
