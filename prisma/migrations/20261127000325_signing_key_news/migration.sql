-- AlterEnum
ALTER TYPE "access_change_kind" ADD VALUE 'SIGNING_KEY';

-- Servers hold keys in memory. A key may be taken back by hand, so the table itself tells them.
CREATE FUNCTION "json_web_keys_are_news"() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  number bigint;
BEGIN
  UPDATE access_clock SET version = version + 1 WHERE id = 1 RETURNING version INTO number;
  INSERT INTO access_changes (version, tenant_id, kind) VALUES (number, coalesce(NEW.tenant_id, OLD.tenant_id), 'SIGNING_KEY');
  PERFORM pg_notify('slipway', 'access:' || number);
  RETURN NULL;
END $$;
CREATE TRIGGER "json_web_keys_are_news" AFTER INSERT OR UPDATE OR DELETE ON "json_web_keys"
  FOR EACH ROW EXECUTE FUNCTION "json_web_keys_are_news"();
