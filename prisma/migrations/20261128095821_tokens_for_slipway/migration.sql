-- AlterTable
ALTER TABLE "audit_events" ADD COLUMN     "client_id" TEXT;

-- AlterTable
ALTER TABLE "oauth2_records" ADD COLUMN     "session_id" UUID,
ADD COLUMN     "user_id" UUID;

-- The access tokens for Slipway itself are checked without these rows. So whatever deletes such a row early, also with
-- its client, ends the session of the token, and tells every server. The server's clock may be ahead of the database's.
CREATE FUNCTION "oauth2_records_end_sessions"() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  ended record;
  number bigint;
BEGIN
  INSERT INTO revoked_sessions (session_id, tenant_id, user_id, expires_at)
    SELECT removed.session_id, removed.tenant_id, removed.user_id, removed.expires_at + interval '1 minute'
      FROM removed JOIN users ON users.id = removed.user_id
     WHERE removed.session_id IS NOT NULL AND removed.expires_at > now()
    ON CONFLICT (session_id) DO NOTHING;
  FOR ended IN
    SELECT DISTINCT tenant_id, user_id FROM removed WHERE session_id IS NOT NULL AND expires_at > now()
  LOOP
    UPDATE access_clock SET version = version + 1 WHERE id = 1 RETURNING version INTO number;
    INSERT INTO access_changes (version, tenant_id, user_id, kind) VALUES (number, ended.tenant_id, ended.user_id, 'PRINCIPAL');
    PERFORM pg_notify('slipway', 'access:' || number);
  END LOOP;
  RETURN NULL;
END $$;
CREATE TRIGGER "oauth2_records_end_sessions" AFTER DELETE ON "oauth2_records"
  REFERENCING OLD TABLE AS removed FOR EACH STATEMENT EXECUTE FUNCTION "oauth2_records_end_sessions"();
