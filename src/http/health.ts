import { pool } from '../platform/database/client.ts';
import { answerJson } from './answer.ts';
import type { Exchange } from './exchange.ts';

/** The process runs and answers. */
export async function answerAlive({ response }: Exchange): Promise<void> {
  answerJson(response, 200, { status: 'ok' });
}

/** The process can serve: it is not stopping, and the database answers. */
export async function answerReady({ response, requests }: Exchange): Promise<void> {
  if (requests.isStopping) return answerJson(response, 503, { status: 'stopping' });
  try {
    await pool.query({ name: 'ready', text: 'select 1' });
    answerJson(response, 200, { status: 'ok' });
  } catch {
    answerJson(response, 503, { status: 'unavailable', database: 'does not answer' });
  }
}
