import type { ErrorKind } from '../generated/prisma/enums.ts';

/** Why work failed, as stored for an execution, a node, an attempt or a run of a job. */
export interface WorkError {
  readonly code: string;
  readonly message: string;
  readonly kind: ErrorKind;
}

/** The columns with the error of a row. If the code is null, the row has no error. */
export interface WorkErrorColumns {
  readonly errorCode: string | null;
  readonly errorMessage: string | null;
  readonly errorKind: ErrorKind | null;
}

export function workErrorOf({ errorCode, errorMessage, errorKind }: WorkErrorColumns): WorkError | null {
  if (errorCode === null) return null;
  return { code: errorCode, message: errorMessage ?? '', kind: errorKind ?? 'UNKNOWN' };
}
