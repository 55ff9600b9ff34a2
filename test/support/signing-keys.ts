/** The keys that the server signs with. */
import { pool } from '../../src/platform/database/client.ts';

/** Makes all keys of the server older, because a key must be published for some seconds before it may sign. */
export async function letKeysAge(): Promise<void> {
  await pool.query(
    `update json_web_keys set created_at = created_at - interval '1 minute'
      where set_id in (select id from json_web_key_sets where name like 'slipway.%')`,
  );
}
