-- CreateTable
CREATE TABLE "former_users" (
    "id" UUID NOT NULL,
    "tenant_id" UUID NOT NULL,
    "username" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "deleted_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "former_users_pkey" PRIMARY KEY ("id")
);

-- The users who were deleted before: the audit log has their names.
INSERT INTO "former_users" ("id", "tenant_id", "username", "name", "deleted_at")
SELECT "target_id"::uuid, "tenant_id", "target_name", "target_name", "created_at"
  FROM "audit_events"
 WHERE "action" = 'user:delete' AND "outcome" = 'DONE' AND "target_id" IS NOT NULL AND "target_name" IS NOT NULL
ON CONFLICT ("id") DO NOTHING;
