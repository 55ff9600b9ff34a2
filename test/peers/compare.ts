/** Compares the answers of two servers to the same request. */
import type { HydraAnswer } from '../doors/hydra/call.ts';

/** An answer as a list of places and values: `status`, `headers.location`, `body.keys.0.alg`. */
type Places = ReadonlyMap<string, unknown>;

/** One place at which two answers differ. */
export interface Difference {
  readonly place: string;
  readonly theirs: unknown;
  readonly ours: unknown;
}

/** A difference that is meant. */
export interface AllowedDifference {
  readonly reason: string;
  /** The names of the steps; all of them if it is left out. */
  readonly steps?: RegExp;
  readonly places: RegExp;
  /** What the other server says there, and what this one says; anything if it is left out. */
  readonly values?: readonly [theirs: unknown, ours: unknown];
}

const headers = ['content-type', 'location', 'link', 'x-total-count', 'cache-control', 'www-authenticate'];

/** What is another one each time: ids, times, secrets, and the parts of keys. */
const chance =
  /(^|\.)(id|client_secret|created_at|updated_at|handled_at|challenge|login_challenge|session_id|login_session_id|sid|consent_request_id|redirect_to|requested_at|access_token|refresh_token|id_token|expires_in|x|y|d|n)$/;

/** A text without what servers name by chance in it. The parameters of an address have no order. */
function blanked(value: unknown): unknown {
  if (typeof value !== 'string') return value;
  // An instant has several forms.
  if (/^\d{4}-\d\d-\d\dT[\d:.]+Z$/.test(value)) return new Date(value).toISOString();
  const text = value
    .replaceAll(/https?:\/\/127\.0\.0\.1:\d+/g, '<server>')
    .replaceAll(/page_token=[^&>]+/g, 'page_token=<chance>');
  const [address = '', parameters] = text.split('?');
  if (!text.startsWith('<server>') || parameters === undefined) return text;
  return `${address}?${parameters.split('&').sort().join('&')}`;
}

function placesOf({ status, headers: given, body }: HydraAnswer): Places {
  const places = new Map<string, unknown>([['status', status]]);
  for (const name of headers) places.set(`headers.${name}`, blanked(given.get(name)));
  collect(body, 'body', places);
  return places;
}

function collect(value: unknown, place: string, places: Map<string, unknown>): void {
  const isWhole = typeof value !== 'object' || value === null || Object.keys(value).length === 0;
  if (chance.test(place) && !isEmpty(value)) places.set(place, '<chance>');
  else if (isWhole)
    places.set(place, Array.isArray(value) ? '[]' : isEmptyObject(value) ? '{}' : blanked(value));
  else for (const [name, inner] of Object.entries(value)) collect(inner, `${place}.${name}`, places);
}

const isEmpty = (value: unknown) => value === null || value === '' || value === undefined;
const isEmptyObject = (value: unknown) =>
  typeof value === 'object' && value !== null && Object.keys(value).length === 0;

/** All places at which two answers differ. */
export function differencesOf(theirs: HydraAnswer, ours: HydraAnswer): Difference[] {
  const [left, right] = [placesOf(theirs), placesOf(ours)];
  return [...new Set([...left.keys(), ...right.keys()])]
    .filter((place) => left.get(place) !== right.get(place))
    .map((place) => ({ place, theirs: left.get(place), ours: right.get(place) }));
}

/** Whether a difference is meant. */
export const allows = (
  { steps, places, values }: AllowedDifference,
  step: string,
  { place, theirs, ours }: Difference,
): boolean =>
  (steps?.test(step) ?? true) &&
  places.test(place) &&
  (values === undefined || (values[0] === theirs && values[1] === ours));
