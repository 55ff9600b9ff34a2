-- Kinds of objects in the audit log: one name for each.

ALTER TABLE "audit_events" DISABLE TRIGGER "audit_events_only_grow";
UPDATE "audit_events" SET "target_type" = CASE "target_type"
    WHEN 'registered_model' THEN 'registered model'
    WHEN 'credential' THEN 'access key'
  END
  WHERE "target_type" IN ('registered_model', 'credential');
ALTER TABLE "audit_events" ENABLE TRIGGER "audit_events_only_grow";
