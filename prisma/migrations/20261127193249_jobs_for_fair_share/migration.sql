-- CreateEnum
CREATE TYPE "on_preemption" AS ENUM ('FAIL', 'REQUEUE');

-- CreateEnum
CREATE TYPE "retry_action" AS ENUM ('FAIL', 'RETRY');

-- AlterEnum
ALTER TYPE "job_state" ADD VALUE 'PREEMPTING';

-- AlterEnum
ALTER TYPE "job_event_kind" ADD VALUE 'REJECTED';

-- DropIndex
DROP INDEX "queues_tenant_id_name_key";

-- DropIndex
DROP INDEX "jobs_queue_id_client_id_key";

-- AlterTable
ALTER TABLE "queues" ADD COLUMN     "cordon_reason" TEXT,
ADD COLUMN     "deleted_at" TIMESTAMPTZ(3),
ADD COLUMN     "resource_limits" JSONB NOT NULL DEFAULT '{}',
ADD COLUMN     "retry_policies" TEXT[] DEFAULT ARRAY[]::TEXT[];

-- AlterTable
ALTER TABLE "jobs" ADD COLUMN     "avoided_nodes" TEXT[] DEFAULT ARRAY[]::TEXT[],
ADD COLUMN     "error_code" TEXT,
ADD COLUMN     "error_message" TEXT,
ADD COLUMN     "external_uri" TEXT,
ADD COLUMN     "fail_fast" BOOLEAN NOT NULL DEFAULT false,
ADD COLUMN     "failures" INTEGER NOT NULL DEFAULT 0,
ADD COLUMN     "gang_id" UUID,
ADD COLUMN     "is_owned" BOOLEAN NOT NULL DEFAULT false,
ADD COLUMN     "is_preemptible" BOOLEAN NOT NULL DEFAULT false,
ADD COLUMN     "namespace" TEXT NOT NULL DEFAULT 'default',
ADD COLUMN     "node_selector" JSONB NOT NULL DEFAULT '{}',
ADD COLUMN     "on_preemption" "on_preemption" NOT NULL DEFAULT 'FAIL',
ADD COLUMN     "preempt_reason" TEXT,
ADD COLUMN     "preempted_by_id" UUID,
ADD COLUMN     "resources" JSONB NOT NULL DEFAULT '{}',
ADD COLUMN     "shape" TEXT NOT NULL DEFAULT '',
ADD COLUMN     "tolerations" JSONB NOT NULL DEFAULT '[]';

-- AlterTable
ALTER TABLE "executors" DROP COLUMN "cordoned",
ADD COLUMN     "nodes_digest" TEXT NOT NULL DEFAULT '',
ADD COLUMN     "usage" JSONB,
ADD COLUMN     "usage_at" TIMESTAMPTZ(3);

-- CreateTable
CREATE TABLE "gangs" (
    "id" UUID NOT NULL,
    "tenant_id" UUID NOT NULL,
    "queue_id" UUID NOT NULL,
    "name" TEXT NOT NULL,
    "cardinality" INTEGER NOT NULL,
    "uniformity_label" TEXT,
    "priority_class" TEXT NOT NULL,
    "pool" TEXT NOT NULL,
    "size" INTEGER NOT NULL DEFAULT 0,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "gangs_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "executor_settings" (
    "id" UUID NOT NULL,
    "tenant_id" UUID NOT NULL,
    "name" TEXT NOT NULL,
    "cordoned" BOOLEAN NOT NULL DEFAULT false,
    "cordon_reason" TEXT,
    "set_by_id" UUID NOT NULL,
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "executor_settings_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "node_cordons" (
    "id" UUID NOT NULL,
    "tenant_id" UUID NOT NULL,
    "executor_name" TEXT NOT NULL,
    "node" TEXT NOT NULL,
    "reason" TEXT NOT NULL,
    "set_by_id" UUID NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "node_cordons_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "retry_policies" (
    "id" UUID NOT NULL,
    "tenant_id" UUID NOT NULL,
    "name" TEXT NOT NULL,
    "retry_limit" INTEGER NOT NULL,
    "default_action" "retry_action" NOT NULL,
    "rules" JSON NOT NULL DEFAULT '[]',
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "retry_policies_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "queue_share_samples" (
    "tenant_id" UUID NOT NULL,
    "pool" TEXT NOT NULL,
    "queue_id" UUID NOT NULL,
    "taken_at" TIMESTAMPTZ(3) NOT NULL,
    "fair_share" DOUBLE PRECISION NOT NULL,
    "adjusted_share" DOUBLE PRECISION NOT NULL,
    "actual_share" DOUBLE PRECISION NOT NULL,
    "demand" DOUBLE PRECISION NOT NULL,

    CONSTRAINT "queue_share_samples_pkey" PRIMARY KEY ("tenant_id","pool","queue_id","taken_at")
);

-- CreateIndex
CREATE UNIQUE INDEX "gangs_queue_id_name_key" ON "gangs"("queue_id", "name");

-- CreateIndex
CREATE UNIQUE INDEX "executor_settings_tenant_id_name_key" ON "executor_settings"("tenant_id", "name");

-- CreateIndex
CREATE UNIQUE INDEX "node_cordons_tenant_id_executor_name_node_key" ON "node_cordons"("tenant_id", "executor_name", "node");

-- CreateIndex
CREATE UNIQUE INDEX "retry_policies_tenant_id_name_key" ON "retry_policies"("tenant_id", "name");

-- CreateIndex
CREATE INDEX "queue_share_samples_taken_at_idx" ON "queue_share_samples"("taken_at");

-- CreateIndex
CREATE UNIQUE INDEX "jobs_job_set_id_client_id_key" ON "jobs"("job_set_id", "client_id");

-- AddForeignKey
ALTER TABLE "jobs" ADD CONSTRAINT "jobs_gang_id_fkey" FOREIGN KEY ("gang_id") REFERENCES "gangs"("id") ON DELETE SET NULL ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "gangs" ADD CONSTRAINT "gangs_queue_id_fkey" FOREIGN KEY ("queue_id") REFERENCES "queues"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "retry_policies" ADD CONSTRAINT "retry_policies_tenant_id_fkey" FOREIGN KEY ("tenant_id") REFERENCES "tenants"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "queue_share_samples" ADD CONSTRAINT "queue_share_samples_queue_id_fkey" FOREIGN KEY ("queue_id") REFERENCES "queues"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- What the schema cannot say.

ALTER TABLE "queues" ALTER COLUMN "retry_policies" SET NOT NULL;
ALTER TABLE "jobs" ALTER COLUMN "avoided_nodes" SET NOT NULL;

-- The name of a deleted queue is free.
CREATE UNIQUE INDEX "queues_name" ON "queues" ("tenant_id", "name") WHERE "deleted_at" IS NULL;

-- Jobs of executions make room for others, but they wait again. A lost lease is not their fault.
UPDATE "jobs" SET "is_owned" = true, "on_preemption" = 'REQUEUE'
  FROM "job_sets" AS "set" WHERE "set"."id" = "jobs"."job_set_id" AND "set"."owner_id" IS NOT NULL;

-- In a queue, the same client id means the same job, except among the jobs of executions.
CREATE UNIQUE INDEX "jobs_client_id" ON "jobs" ("queue_id", "client_id") WHERE NOT "is_owned" AND "client_id" IS NOT NULL;
CREATE INDEX "jobs_external_uri" ON "jobs" ("queue_id", "external_uri") WHERE "external_uri" IS NOT NULL;

-- For each queue and shape, the order in which queued jobs are taken. Gangs are taken whole.
DROP INDEX "jobs_waiting";
CREATE INDEX "jobs_waiting" ON "jobs" ("tenant_id", "pool", "queue_id", "shape", "priority", "submitted_at", "id") WHERE "state" = 'QUEUED' AND "gang_id" IS NULL;
CREATE INDEX "jobs_waiting_in_gangs" ON "jobs" ("tenant_id", "pool", "queue_id", "gang_id") WHERE "state" = 'QUEUED' AND "gang_id" IS NOT NULL;

-- The job sets of a queue that still have work.
CREATE INDEX "jobs_open" ON "jobs" ("queue_id", "job_set_id", "state") WHERE "ended_at" IS NULL;
CREATE INDEX "jobs_of_gang" ON "jobs" ("gang_id") WHERE "gang_id" IS NOT NULL;

ALTER TABLE "gangs" ADD CONSTRAINT "gangs_size" CHECK ("cardinality" >= 2 AND "size" >= 0);
ALTER TABLE "gangs" ADD CONSTRAINT "gangs_tenant" FOREIGN KEY ("tenant_id") REFERENCES "tenants" ("id");
ALTER TABLE "executor_settings" ADD CONSTRAINT "executor_settings_tenant" FOREIGN KEY ("tenant_id") REFERENCES "tenants" ("id");
ALTER TABLE "node_cordons" ADD CONSTRAINT "node_cordons_tenant" FOREIGN KEY ("tenant_id") REFERENCES "tenants" ("id");
ALTER TABLE "executor_settings" ADD CONSTRAINT "executor_settings_cordon" CHECK (NOT "cordoned" OR "cordon_reason" IS NOT NULL);
ALTER TABLE "retry_policies" ADD CONSTRAINT "retry_policies_limit" CHECK ("retry_limit" BETWEEN 0 AND 1000);
