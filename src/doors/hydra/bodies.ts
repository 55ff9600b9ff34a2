import { z } from 'zod';
import { type DoorCall, DoorError } from '../door.ts';

/** The JSON body of a call. @throws DoorError with all problems. */
export async function readBody<Body>(call: DoorCall, type: z.ZodType<Body>): Promise<Body> {
  const { success, data, error } = type.safeParse(await call.json());
  if (success) return data;
  const problems = error.issues.map(({ path, message }) => ({ path: path.map(String), message }));
  throw new DoorError('INVALID_ARGUMENT', 'the body has not the expected form', { problems });
}

/** @throws DoorError if a parameter of the query is missing. */
export function parameter({ query }: DoorCall, ...names: readonly string[]): string {
  for (const name of names) {
    const value = query.get(name);
    if (value) return value;
  }
  throw missing(names[0] ?? '');
}

export function missing(name: string): DoorError {
  const message = `the parameter ${name} is missing`;
  return new DoorError('INVALID_ARGUMENT', message, { problems: [{ path: [name], message: 'is missing' }] });
}

export const object = z.record(z.string(), z.unknown());
