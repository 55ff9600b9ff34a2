import { run, statement } from '../../platform/database/statement.ts';
import type { Tx } from '../../platform/database/transaction.ts';
import { open, seal, sign, signaturesOfAll } from '../../platform/secrets.ts';
import { columns, hashOf, type Payload, type StoredRecord } from './records.ts';

/**
 * Device codes and user codes. The engine finds a device code by its user code and saves it again, for which it needs
 * the device code itself. So it is stored encrypted. A user code is short, so it is stored as a keyed hash.
 */

const DEVICE_CODE = 'oauth-device-code';
const USER_CODE = 'oauth-user-code';

export const sealDeviceCode = (deviceCode: string): string =>
  seal(DEVICE_CODE, deviceCode).toString('base64');
export const openDeviceCode = (sealed: string): string => open(DEVICE_CODE, Buffer.from(sealed, 'base64'));
export const sealUserCode = (userCode: string): string => seal(USER_CODE, userCode).toString('base64');
export const openUserCode = (sealed: string): string => open(USER_CODE, Buffer.from(sealed, 'base64'));

/** What a device code is found by. */
export const userCodeHash = (userCode: string): string => sign(USER_CODE, userCode);

const findStatement = statement<StoredRecord & { readonly isLive: boolean }>(
  `select ${columns}, expires_at > now() as "isLive"
     from oauth2_records where kind = 'DeviceCode' and uid = any($1::text[]) order by expires_at desc limit 1`,
);

/** The device code with this user code, also if it has expired; null if there is none. */
export async function findByUserCode(userCode: string) {
  const [row] = await run(findStatement, [signaturesOfAll(USER_CODE, userCode)]);
  return row ?? null;
}

/** How often a device may ask, in seconds, and by how much it must slow down if it asks more often. */
export const POLL_SECONDS = 5;

const pollStatement = statement<{
  readonly payload: Payload;
  readonly consumedAt: Date | null;
  readonly clientRowId: string | null;
  readonly isEarly: boolean;
}>(
  `update oauth2_records as code
      set payload = code.payload || jsonb_build_object(
        'polledAt', extract(epoch from clock_timestamp()),
        'pollSeconds', before."pollSeconds" + case when before."isEarly" then $2::int else 0 end)
     from (select payload, "pollSeconds",
                  coalesce((payload ->> 'polledAt')::float + "pollSeconds" > extract(epoch from clock_timestamp()), false) as "isEarly"
             from (select payload, coalesce((payload ->> 'pollSeconds')::int, $2::int) as "pollSeconds"
                     from oauth2_records where kind = 'DeviceCode' and id_hash = $1 for update) as locked
          ) as before
    where code.kind = 'DeviceCode' and code.id_hash = $1
   returning before.payload, code.consumed_at as "consumedAt", code.client_row_id as "clientRowId", before."isEarly"`,
);

/**
 * Records that a device asks whether its person has signed in. Of several calls at the same time, at most one is not too
 * early.
 *
 * @returns the device code, also if it has expired; null if there is none. Source: RFC 8628 §3.5.
 */
export async function pollDeviceCode(deviceCode: string) {
  const [row] = await run(pollStatement, [hashOf(deviceCode), POLL_SECONDS]);
  return row ?? null;
}

const claimStatement = statement<{ kind: string }>(
  `update oauth2_records set payload = payload || '{"isClaimed": true}'
    where kind = 'DeviceCode' and uid = any($1::text[]) and expires_at > now()
      and not payload ?| array['isClaimed', 'inFlight', 'accountId', 'error']
  returning kind::text`,
);

/** Takes a user code, which works once. @returns false if somebody has taken it, or if it has expired. */
export async function claimUserCode(tx: Tx, userCode: string): Promise<boolean> {
  return (await run(claimStatement, [signaturesOfAll(USER_CODE, userCode)], tx)).length > 0;
}

const missStatement = statement<{ kind: string }>(
  `update oauth2_records
      set payload = payload || jsonb_build_object('misses', coalesce((payload ->> 'misses')::int, 0) + 1)
    where kind = 'DeviceRequest' and id_hash = $1
  returning kind::text`,
);

/** Counts a user code that does not exist. */
export async function recordMiss(challenge: string): Promise<void> {
  await run(missStatement, [hashOf(challenge)]);
}
