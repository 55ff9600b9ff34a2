-- CreateTable
CREATE TABLE "retention_policies" (
    "id" UUID NOT NULL,
    "tenant_id" UUID NOT NULL,
    "project_id" UUID NOT NULL,
    "domain" TEXT NOT NULL,
    "rules" JSON NOT NULL,
    "set_by_id" UUID NOT NULL,
    "set_at" TIMESTAMPTZ(3) NOT NULL,
    "sweep_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "swept_ended_at" TIMESTAMPTZ(3),
    "swept_id" UUID,
    "last_swept_at" TIMESTAMPTZ(3),
    "last_deleted_at" TIMESTAMPTZ(3),
    "deleted_count" BIGINT NOT NULL DEFAULT 0,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "retention_policies_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE INDEX "retention_policies_sweep_at_idx" ON "retention_policies"("sweep_at");

-- CreateIndex
CREATE UNIQUE INDEX "retention_policies_tenant_id_project_id_domain_key" ON "retention_policies"("tenant_id", "project_id", "domain");

ALTER TABLE "retention_policies" ADD CONSTRAINT "retention_policies_project" FOREIGN KEY ("project_id") REFERENCES "projects" ("id") ON DELETE CASCADE;

-- The executions in one domain of a project that have ended, in the order of their ends.
CREATE INDEX "executions_by_end" ON "executions" ("project_id", "domain", "ended_at", "id") WHERE "ended_at" IS NOT NULL;
