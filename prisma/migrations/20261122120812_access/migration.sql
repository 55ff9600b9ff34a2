-- CreateEnum
CREATE TYPE "resource_type" AS ENUM ('TENANT', 'PROJECT', 'EXPERIMENT', 'REGISTERED_MODEL', 'WORKFLOW', 'QUEUE');

-- CreateEnum
CREATE TYPE "audit_outcome" AS ENUM ('DONE', 'DENIED');

-- CreateEnum
CREATE TYPE "access_change_kind" AS ENUM ('PRINCIPAL', 'GRANT');

-- CreateEnum
CREATE TYPE "lifecycle_stage" AS ENUM ('ACTIVE', 'DELETED');

-- CreateEnum
CREATE TYPE "creation_policy" AS ENUM ('OPEN', 'RESTRICTED');

-- AlterTable
-- Filled at the end of this script, and then not null.
ALTER TABLE "executions" ADD COLUMN     "workflow_entity_id" UUID;

-- Filled at the end of this script, and then not null.
ALTER TABLE "launch_plans" ADD COLUMN     "workflow_entity_id" UUID;

-- AlterTable
ALTER TABLE "job_sets" ADD COLUMN     "workflow_entity_id" UUID;

-- AlterTable
ALTER TABLE "tenants" ADD COLUMN     "creation_policy" "creation_policy" NOT NULL DEFAULT 'OPEN',
ADD COLUMN     "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP;

-- AlterTable
ALTER TABLE "users" ADD COLUMN     "avatar" TEXT,
ADD COLUMN     "family_name" TEXT,
ADD COLUMN     "given_name" TEXT,
ADD COLUMN     "is_fixed" BOOLEAN NOT NULL DEFAULT false,
ADD COLUMN     "outside_source" TEXT,
ADD COLUMN     "preferences" JSONB NOT NULL DEFAULT '{}';

-- AlterTable
-- Filled at the end of this script, and then not null.
ALTER TABLE "workflows" ADD COLUMN     "entity_id" UUID;

-- CreateTable
CREATE TABLE "groups" (
    "id" UUID NOT NULL,
    "tenant_id" UUID NOT NULL,
    "name" TEXT NOT NULL,
    "name_key" TEXT NOT NULL,
    "description" TEXT NOT NULL DEFAULT '',
    "is_everyone" BOOLEAN NOT NULL DEFAULT false,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "groups_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "group_members" (
    "group_id" UUID NOT NULL,
    "user_id" UUID NOT NULL,
    "tenant_id" UUID NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "group_members_pkey" PRIMARY KEY ("group_id","user_id")
);

-- CreateTable
CREATE TABLE "grants" (
    "id" UUID NOT NULL,
    "tenant_id" UUID NOT NULL,
    "user_id" UUID,
    "group_id" UUID,
    "resource_type" "resource_type" NOT NULL,
    "resource_id" UUID,
    "level" "level" NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "grants_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "audit_events" (
    "id" UUID NOT NULL,
    "tenant_id" UUID NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "actor_id" UUID,
    "actor_name" TEXT,
    "real_actor_id" UUID,
    "real_actor_name" TEXT,
    "credential_id" UUID,
    "address" TEXT,
    "action" TEXT NOT NULL,
    "outcome" "audit_outcome" NOT NULL,
    "code" TEXT,
    "target_type" TEXT,
    "target_id" TEXT,
    "target_name" TEXT,
    "before" JSONB,
    "after" JSONB,
    "count" INTEGER NOT NULL DEFAULT 1,

    CONSTRAINT "audit_events_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "access_changes" (
    "version" BIGINT NOT NULL,
    "tenant_id" UUID NOT NULL,
    "user_id" UUID,
    "kind" "access_change_kind" NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "access_changes_pkey" PRIMARY KEY ("version")
);

-- CreateTable
CREATE TABLE "access_clock" (
    "id" INTEGER NOT NULL DEFAULT 1,
    "version" BIGINT NOT NULL DEFAULT 0,

    CONSTRAINT "access_clock_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "experiments" (
    "id" UUID NOT NULL,
    "tenant_id" UUID NOT NULL,
    "project_id" UUID NOT NULL,
    "name" TEXT NOT NULL,
    "description" TEXT NOT NULL DEFAULT '',
    "tags" JSONB NOT NULL DEFAULT '{}',
    "stage" "lifecycle_stage" NOT NULL DEFAULT 'ACTIVE',
    "public_at" TIMESTAMPTZ(3),
    "created_by_id" UUID NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "experiments_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "experiment_runs" (
    "id" UUID NOT NULL,
    "tenant_id" UUID NOT NULL,
    "experiment_id" UUID NOT NULL,
    "execution_id" UUID,
    "name" TEXT NOT NULL,
    "tags" JSONB NOT NULL DEFAULT '{}',
    "stage" "lifecycle_stage" NOT NULL DEFAULT 'ACTIVE',
    "created_by_id" UUID NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "experiment_runs_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "registered_models" (
    "id" UUID NOT NULL,
    "tenant_id" UUID NOT NULL,
    "project_id" UUID NOT NULL,
    "name" TEXT NOT NULL,
    "description" TEXT NOT NULL DEFAULT '',
    "tags" JSONB NOT NULL DEFAULT '{}',
    "last_version" INTEGER NOT NULL DEFAULT 0,
    "deleted_at" TIMESTAMPTZ(3),
    "public_at" TIMESTAMPTZ(3),
    "created_by_id" UUID NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "registered_models_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "model_versions" (
    "id" UUID NOT NULL,
    "tenant_id" UUID NOT NULL,
    "model_id" UUID NOT NULL,
    "version" INTEGER NOT NULL,
    "source" TEXT NOT NULL,
    "description" TEXT NOT NULL DEFAULT '',
    "tags" JSONB NOT NULL DEFAULT '{}',
    "execution_id" UUID,
    "run_id" UUID,
    "created_by_id" UUID NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "model_versions_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "model_aliases" (
    "model_id" UUID NOT NULL,
    "alias" TEXT NOT NULL,
    "tenant_id" UUID NOT NULL,
    "version_id" UUID NOT NULL,
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "model_aliases_pkey" PRIMARY KEY ("model_id","alias")
);

-- CreateTable
CREATE TABLE "revoked_sessions" (
    "session_id" UUID NOT NULL,
    "tenant_id" UUID NOT NULL,
    "user_id" UUID NOT NULL,
    "expires_at" TIMESTAMPTZ(3) NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "revoked_sessions_pkey" PRIMARY KEY ("session_id")
);

-- CreateTable
CREATE TABLE "named_entities" (
    "id" UUID NOT NULL,
    "tenant_id" UUID NOT NULL,
    "project_id" UUID NOT NULL,
    "domain" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "named_entities_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE UNIQUE INDEX "groups_tenant_id_name_key_key" ON "groups"("tenant_id", "name_key");

-- CreateIndex
CREATE INDEX "group_members_user_id_idx" ON "group_members"("user_id");

-- CreateIndex
CREATE INDEX "grants_user_id_idx" ON "grants"("user_id");

-- CreateIndex
CREATE INDEX "grants_group_id_idx" ON "grants"("group_id");

-- CreateIndex
CREATE INDEX "audit_events_tenant_id_id_idx" ON "audit_events"("tenant_id", "id" DESC);

-- CreateIndex
CREATE INDEX "audit_events_tenant_id_actor_id_id_idx" ON "audit_events"("tenant_id", "actor_id", "id" DESC);

-- CreateIndex
CREATE INDEX "audit_events_tenant_id_action_id_idx" ON "audit_events"("tenant_id", "action", "id" DESC);

-- CreateIndex
CREATE INDEX "access_changes_created_at_idx" ON "access_changes"("created_at");

-- CreateIndex
CREATE INDEX "experiments_tenant_id_created_at_id_idx" ON "experiments"("tenant_id", "created_at" DESC, "id" DESC);

-- CreateIndex
CREATE UNIQUE INDEX "experiments_tenant_id_project_id_name_key" ON "experiments"("tenant_id", "project_id", "name");

-- CreateIndex
CREATE INDEX "experiment_runs_experiment_id_created_at_id_idx" ON "experiment_runs"("experiment_id", "created_at" DESC, "id" DESC);

-- CreateIndex
CREATE INDEX "experiment_runs_execution_id_idx" ON "experiment_runs"("execution_id");

-- CreateIndex
CREATE INDEX "registered_models_tenant_id_created_at_id_idx" ON "registered_models"("tenant_id", "created_at" DESC, "id" DESC);

-- CreateIndex
CREATE UNIQUE INDEX "registered_models_tenant_id_project_id_name_key" ON "registered_models"("tenant_id", "project_id", "name");

-- CreateIndex
CREATE INDEX "model_versions_execution_id_idx" ON "model_versions"("execution_id");

-- CreateIndex
CREATE UNIQUE INDEX "model_versions_model_id_version_key" ON "model_versions"("model_id", "version");

-- CreateIndex
CREATE INDEX "model_aliases_version_id_idx" ON "model_aliases"("version_id");

-- CreateIndex
CREATE INDEX "revoked_sessions_user_id_idx" ON "revoked_sessions"("user_id");

-- CreateIndex
CREATE INDEX "revoked_sessions_expires_at_idx" ON "revoked_sessions"("expires_at");

-- CreateIndex
CREATE UNIQUE INDEX "named_entities_tenant_id_project_id_domain_name_key" ON "named_entities"("tenant_id", "project_id", "domain", "name");

-- CreateIndex
CREATE INDEX "credentials_tenant_id_idx" ON "credentials"("tenant_id");

-- AddForeignKey
ALTER TABLE "group_members" ADD CONSTRAINT "group_members_group_id_fkey" FOREIGN KEY ("group_id") REFERENCES "groups"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "grants" ADD CONSTRAINT "grants_group_id_fkey" FOREIGN KEY ("group_id") REFERENCES "groups"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "experiment_runs" ADD CONSTRAINT "experiment_runs_experiment_id_fkey" FOREIGN KEY ("experiment_id") REFERENCES "experiments"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "model_versions" ADD CONSTRAINT "model_versions_model_id_fkey" FOREIGN KEY ("model_id") REFERENCES "registered_models"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "model_aliases" ADD CONSTRAINT "model_aliases_model_id_fkey" FOREIGN KEY ("model_id") REFERENCES "registered_models"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "model_aliases" ADD CONSTRAINT "model_aliases_version_id_fkey" FOREIGN KEY ("version_id") REFERENCES "model_versions"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "named_entities" ADD CONSTRAINT "named_entities_project_id_fkey" FOREIGN KEY ("project_id") REFERENCES "projects"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "workflows" ADD CONSTRAINT "workflows_entity_id_fkey" FOREIGN KEY ("entity_id") REFERENCES "named_entities"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- What the schema cannot say.

-- The names of the workflows that are there.
INSERT INTO "named_entities" ("id", "tenant_id", "project_id", "domain", "name", "created_at")
SELECT gen_random_uuid(), "tenant_id", "project_id", "domain", "name", min("created_at")
  FROM "workflows" GROUP BY "tenant_id", "project_id", "domain", "name";
UPDATE "workflows" AS workflow SET "entity_id" = entity."id"
  FROM "named_entities" AS entity
 WHERE entity."tenant_id" = workflow."tenant_id" AND entity."project_id" = workflow."project_id"
   AND entity."domain" = workflow."domain" AND entity."name" = workflow."name";
UPDATE "executions" AS execution SET "workflow_entity_id" = workflow."entity_id"
  FROM "workflows" AS workflow WHERE workflow."id" = execution."workflow_id";
UPDATE "launch_plans" AS plan SET "workflow_entity_id" = workflow."entity_id"
  FROM "workflows" AS workflow WHERE workflow."id" = plan."workflow_id";
UPDATE "job_sets" AS job_set SET "workflow_entity_id" = execution."workflow_entity_id"
  FROM "executions" AS execution WHERE execution."id" = job_set."owner_id";
ALTER TABLE "workflows" ALTER COLUMN "entity_id" SET NOT NULL;
ALTER TABLE "launch_plans" ALTER COLUMN "workflow_entity_id" SET NOT NULL;
ALTER TABLE "executions" ALTER COLUMN "workflow_entity_id" SET NOT NULL;

-- A group of everybody in each tenant that is there.
INSERT INTO "groups" ("id", "tenant_id", "name", "name_key", "description", "is_everyone", "updated_at")
SELECT gen_random_uuid(), "id", 'everyone', 'everyone', 'All users of the tenant', true, now() FROM "tenants";
CREATE UNIQUE INDEX "groups_one_everyone" ON "groups" ("tenant_id") WHERE "is_everyone";

-- One level for each subject and resource, the nulls of "all of a type" included.
CREATE UNIQUE INDEX "grants_one_per_subject" ON "grants" ("tenant_id", "resource_type", "resource_id", "user_id", "group_id") NULLS NOT DISTINCT;
ALTER TABLE "grants" ADD CONSTRAINT "grants_one_subject" CHECK (("user_id" IS NULL) <> ("group_id" IS NULL));
ALTER TABLE "grants" ADD CONSTRAINT "grants_tenant_has_no_id" CHECK ("resource_type" <> 'TENANT' OR "resource_id" IS NULL);
ALTER TABLE "grants" ADD CONSTRAINT "grants_user" FOREIGN KEY ("user_id") REFERENCES "users" ("id") ON DELETE CASCADE;
ALTER TABLE "grants" ADD CONSTRAINT "grants_tenant" FOREIGN KEY ("tenant_id") REFERENCES "tenants" ("id") ON DELETE CASCADE;
ALTER TABLE "groups" ADD CONSTRAINT "groups_tenant" FOREIGN KEY ("tenant_id") REFERENCES "tenants" ("id") ON DELETE CASCADE;
ALTER TABLE "group_members" ADD CONSTRAINT "group_members_user" FOREIGN KEY ("user_id") REFERENCES "users" ("id") ON DELETE CASCADE;
ALTER TABLE "revoked_sessions" ADD CONSTRAINT "revoked_sessions_user" FOREIGN KEY ("user_id") REFERENCES "users" ("id") ON DELETE CASCADE;

INSERT INTO "access_clock" ("id", "version") VALUES (1, 0);
ALTER TABLE "access_clock" ADD CONSTRAINT "access_clock_one_row" CHECK ("id" = 1);

-- What every tenant may read, found without a look at all tenants.
CREATE INDEX "experiments_public" ON "experiments" ("created_at" DESC, "id" DESC) WHERE "public_at" IS NOT NULL;
CREATE INDEX "registered_models_public" ON "registered_models" ("created_at" DESC, "id" DESC) WHERE "public_at" IS NOT NULL;

-- What was written to the audit log stays as it was written.
CREATE FUNCTION "audit_events_only_grow"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'audit events are only ever added';
END $$;
CREATE TRIGGER "audit_events_only_grow" BEFORE UPDATE OR DELETE OR TRUNCATE ON "audit_events"
  FOR EACH STATEMENT EXECUTE FUNCTION "audit_events_only_grow"();

ALTER TABLE "launch_plans" ADD CONSTRAINT "launch_plans_workflow_entity" FOREIGN KEY ("workflow_entity_id") REFERENCES "named_entities" ("id");
ALTER TABLE "executions" ADD CONSTRAINT "executions_workflow_entity" FOREIGN KEY ("workflow_entity_id") REFERENCES "named_entities" ("id");
ALTER TABLE "experiments" ADD CONSTRAINT "experiments_project" FOREIGN KEY ("project_id") REFERENCES "projects" ("id");
ALTER TABLE "registered_models" ADD CONSTRAINT "registered_models_project" FOREIGN KEY ("project_id") REFERENCES "projects" ("id");
ALTER TABLE "experiment_runs" ADD CONSTRAINT "experiment_runs_execution" FOREIGN KEY ("execution_id") REFERENCES "executions" ("id");
ALTER TABLE "model_versions" ADD CONSTRAINT "model_versions_execution" FOREIGN KEY ("execution_id") REFERENCES "executions" ("id");
ALTER TABLE "model_versions" ADD CONSTRAINT "model_versions_run" FOREIGN KEY ("run_id") REFERENCES "experiment_runs" ("id");
ALTER TABLE "model_versions" ADD CONSTRAINT "model_versions_version" CHECK ("version" >= 1);
