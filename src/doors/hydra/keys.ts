import { z } from 'zod';
import { type DoorAnswer, type DoorCall, foundOf, payloadOf } from '../door.ts';
import { object, readBody } from './bodies.ts';
import {
  createKeyDocument,
  deleteKeyDocument,
  deleteKeySetDocument,
  keyDocument,
  keySetDocument,
  updateKeyDocument,
  updateKeySetDocument,
} from './documents.ts';

/**
 * The operations on keys, at Hydra's addresses. Private parts are only in the answers to the calls that create or bring
 * them. Source: Hydra v26.2, `jwk/handler.go`.
 */

type Parts = readonly string[];

export async function getKeySet({ ask }: DoorCall, [name = '']: Parts): Promise<DoorAnswer> {
  const { found } = await ask(keySetDocument, { name });
  return { status: 200, body: { keys: foundOf(found).keys.map(({ publicJwk }) => publicJwk) } };
}

/** One key is answered as a set of one key. */
export async function getKey({ ask }: DoorCall, [set = '', kid = '']: Parts): Promise<DoorAnswer> {
  const { found } = await ask(keyDocument, { set, kid });
  return { status: 200, body: { keys: [foundOf(found).publicJwk] } };
}

const uses = { sig: 'SIG', enc: 'ENC' } as const;
const keyType = z.object({
  alg: z.string(),
  use: z.enum(['sig', 'enc'], { error: 'must be sig or enc' }).default('sig'),
  kid: z.string().nullish(),
});

export async function createKey(call: DoorCall, [set = '']: Parts): Promise<DoorAnswer> {
  const { alg, use, kid } = await readBody(call, keyType);
  const { result } = await call.ask(createKeyDocument, { input: { set, alg, use: uses[use], kid } });
  const body = { keys: [payloadOf(result).privateJwk] };
  return { status: 201, headers: { location: call.path }, body };
}

export async function updateKeySet(call: DoorCall, [set = '']: Parts): Promise<DoorAnswer> {
  const { keys } = await readBody(call, z.object({ keys: z.array(object) }));
  const { result } = await call.ask(updateKeySetDocument, { input: { set, keys } });
  payloadOf(result);
  return { status: 200, body: { keys } };
}

export async function updateKey(call: DoorCall, [set = '', kid = '']: Parts): Promise<DoorAnswer> {
  const key = await readBody(call, object);
  const { result } = await call.ask(updateKeyDocument, { input: { set, kid, key } });
  payloadOf(result);
  return { status: 200, body: key };
}

export async function deleteKeySet({ ask }: DoorCall, [set = '']: Parts): Promise<DoorAnswer> {
  const { result } = await ask(deleteKeySetDocument, { input: { set } });
  payloadOf(result);
  return { status: 204 };
}

export async function deleteKey({ ask }: DoorCall, [set = '', kid = '']: Parts): Promise<DoorAnswer> {
  const { result } = await ask(deleteKeyDocument, { input: { set, kid } });
  payloadOf(result);
  return { status: 204 };
}
