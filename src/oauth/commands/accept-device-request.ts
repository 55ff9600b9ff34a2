import type { Caller } from '../../platform/caller.ts';
import { inTransaction } from '../../platform/database/transaction.ts';
import { InvalidArgumentError } from '../../platform/errors.ts';
import { getDeviceRequest, resumeUrlOf } from '../device-request.ts';
import { ChallengeUsedError } from '../domain/challenges.ts';
import { claimUserCode, sealUserCode } from '../store/device-codes.ts';
import { resolveRecord } from '../store/records.ts';

export interface AcceptedDevice {
  readonly challenge: string;
  /** As the person has entered it. */
  readonly userCode: string;
}

/**
 * Says which code a person has entered. She then signs in and consents, as for any client.
 *
 * @param issuer  the URL of the server for its callers.
 * @returns where to send the browser.
 * @throws InvalidArgumentError for a code that is unknown, used or expired; NotFoundError; ChallengeUsedError for all but
 * the first answer. Source: Hydra's acceptUserCodeRequest.
 */
export async function acceptDeviceRequest(
  caller: Caller,
  issuer: string,
  input: AcceptedDevice,
): Promise<string> {
  const { code } = await getDeviceRequest(caller, issuer, input);
  const refused = () =>
    InvalidArgumentError.of(
      ['input', 'userCode'],
      'this code does not exist, was used already or has expired',
    );
  if (!code) throw refused();
  const { challenge } = input;
  const { userCode } = code;
  const redirectTo = resumeUrlOf(issuer, challenge);
  await inTransaction(async (tx) => {
    const result = { sealedUserCode: sealUserCode(userCode) };
    if (!(await resolveRecord(tx, { kind: 'DeviceRequest', id: challenge }, result)))
      throw new ChallengeUsedError(redirectTo);
    if (!(await claimUserCode(tx, userCode))) throw refused();
  });
  return redirectTo;
}
