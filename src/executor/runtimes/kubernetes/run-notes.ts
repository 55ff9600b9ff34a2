import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isRecord } from '../../../values/json.ts';
import { systemErrorCode } from '../../host/run-error.ts';

/**
 * What the executor must remember about the pod of a run, in the folder that only the executor uses.
 *
 *    <control>/pod     where the pod is, written before the pod is created
 *    <control>/begun   that the command has begun, written when we see it, because the pod may be gone later
 */
export interface PodNote {
  readonly namespace: string;
  readonly logLimitBytes: number;
}

export function notePod(control: string, note: PodNote): void {
  writeFileSync(join(control, 'pod'), JSON.stringify(note), { mode: 0o600, flush: true });
}

/** Null if the pod was never asked for. */
export function readPodNote(control: string): PodNote | null {
  try {
    const note: unknown = JSON.parse(readFileSync(join(control, 'pod'), 'utf8'));
    if (!isRecord(note) || typeof note['namespace'] !== 'string') return null;
    return { namespace: note['namespace'], logLimitBytes: Number(note['logLimitBytes']) || 0 };
  } catch (error) {
    // A file that is not complete was written before the pod was asked for.
    if (systemErrorCode(error) === null && !(error instanceof SyntaxError)) throw error;
    return null;
  }
}

/** Can be called again. */
export function noteBegun(control: string): void {
  try {
    writeFileSync(join(control, 'begun'), '', { mode: 0o600, flag: 'wx', flush: true });
  } catch (error) {
    // Without the directory, the end of the run is known already.
    if (systemErrorCode(error) !== 'EEXIST' && systemErrorCode(error) !== 'ENOENT') throw error;
  }
}

export function isBegunNoted(control: string): boolean {
  try {
    readFileSync(join(control, 'begun'));
    return true;
  } catch (error) {
    if (systemErrorCode(error) === null) throw error;
    return false;
  }
}
