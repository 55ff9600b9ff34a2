import { STATUS_CODES } from 'node:http';
import type { ErrorCode } from '../../platform/errors.ts';
import type { DoorAnswer, DoorError, DoorProblem } from '../door.ts';
import { hydraName } from './names.ts';

const statusOf: Readonly<Record<ErrorCode, number>> = {
  INVALID_ARGUMENT: 400,
  UNAUTHENTICATED: 401,
  PERMISSION_DENIED: 403,
  NOT_FOUND: 404,
  ALREADY_EXISTS: 409,
  FAILED_PRECONDITION: 409,
  ABORTED: 409,
  RESOURCE_EXHAUSTED: 429,
  INTERNAL: 500,
  UNIMPLEMENTED: 501,
  UNAVAILABLE: 503,
  DEADLINE_EXCEEDED: 504,
};

/** The word for each status that is not simply the name of the status. Source: RFC 6749 §4.1.2.1. */
const words: Readonly<Record<number, string>> = { 400: 'invalid_request', 500: 'server_error' };

/**
 * Says why a call was refused, as Hydra does. A challenge that was used says only where to send the browser, which login
 * apps follow.
 */
export function refuse({ code, message, problems, redirectTo, status: own, allow }: DoorError): DoorAnswer {
  if (redirectTo !== null) return { status: 410, body: { redirect_to: redirectTo } };
  const status = own ?? statusOf[code];
  const error = words[status] ?? STATUS_CODES[status] ?? 'error';
  const hint = problems.map(hintOf).join('; ');
  const body = {
    error,
    error_description: message,
    ...(hint ? { error_hint: hint } : {}),
    status_code: status,
  };
  return { status, body, ...(allow.length > 0 ? { headers: { allow: allow.join(', ') } } : {}) };
}

/** Names the place of a problem as the caller has written it. */
function hintOf({ path, message }: DoorProblem): string {
  const place = path.filter((part) => part !== 'input' && part !== 'client').map(hydraName);
  return place.length > 0 ? `${place.join('.')}: ${message}` : message;
}
