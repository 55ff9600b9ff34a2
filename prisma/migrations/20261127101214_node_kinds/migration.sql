-- A node is not always a task, and not always in the outermost workflow. Existing nodes are both.

-- CreateEnum
CREATE TYPE "node_kind" AS ENUM ('TASK', 'WORKFLOW', 'LAUNCH_PLAN', 'BRANCH', 'GATE', 'ARRAY');

-- DropIndex
DROP INDEX "node_executions_execution_id_id_idx";

-- DropIndex
DROP INDEX "task_executions_node_execution_id_retry_attempt_key";

-- AlterTable
ALTER TABLE "node_executions" ADD COLUMN     "item_count" INTEGER,
ADD COLUMN     "item_index" INTEGER,
ADD COLUMN     "kind" "node_kind" NOT NULL DEFAULT 'TASK',
ADD COLUMN     "parent_id" UUID,
ADD COLUMN     "spec_node_id" TEXT,
ADD COLUMN     "wake_at" TIMESTAMPTZ(3);

-- AlterTable
ALTER TABLE "task_executions" ADD COLUMN     "task_domain" TEXT,
ADD COLUMN     "task_name" TEXT,
ADD COLUMN     "task_project" TEXT,
ADD COLUMN     "task_version" TEXT,
ALTER COLUMN "task_id" DROP NOT NULL;

-- AlterTable
ALTER TABLE "node_phase_counts" DROP CONSTRAINT "node_phase_counts_pkey",
ADD COLUMN     "kind" "node_kind" NOT NULL DEFAULT 'TASK',
ADD CONSTRAINT "node_phase_counts_pkey" PRIMARY KEY ("execution_id", "kind", "phase");

UPDATE "node_executions" SET "spec_node_id" = "node_id";
ALTER TABLE "node_executions" ALTER COLUMN "spec_node_id" SET NOT NULL;

-- The task of an attempt may be deleted or never registered, so the attempt knows its key by itself.
UPDATE "task_executions" SET "task_project" = project."identifier", "task_domain" = task."domain",
       "task_name" = task."name", "task_version" = task."version"
  FROM "tasks" AS task JOIN "projects" AS project ON project."id" = task."project_id"
 WHERE task."id" = "task_executions"."task_id";
ALTER TABLE "task_executions" ALTER COLUMN "task_project" SET NOT NULL, ALTER COLUMN "task_domain" SET NOT NULL,
  ALTER COLUMN "task_name" SET NOT NULL, ALTER COLUMN "task_version" SET NOT NULL;

-- CreateTable
CREATE TABLE "item_phase_counts" (
    "node_execution_id" UUID NOT NULL,
    "phase" "node_execution_phase" NOT NULL,
    "tenant_id" UUID NOT NULL,
    "count" INTEGER NOT NULL,

    CONSTRAINT "item_phase_counts_pkey" PRIMARY KEY ("node_execution_id","phase")
);

-- CreateIndex
CREATE INDEX "node_executions_parent_id_id_idx" ON "node_executions"("parent_id", "id" DESC);

-- CreateIndex
CREATE UNIQUE INDEX "task_executions_node_execution_id_retry_attempt_task_projec_key" ON "task_executions"("node_execution_id", "retry_attempt", "task_project", "task_domain", "task_name", "task_version");

-- AddForeignKey
ALTER TABLE "node_executions" ADD CONSTRAINT "node_executions_parent_id_fkey" FOREIGN KEY ("parent_id") REFERENCES "node_executions"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "item_phase_counts" ADD CONSTRAINT "item_phase_counts_node_execution_id_fkey" FOREIGN KEY ("node_execution_id") REFERENCES "node_executions"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- The outermost nodes of an execution, newest first.
CREATE INDEX "node_executions_outermost" ON "node_executions" ("execution_id", "id" DESC) WHERE "parent_id" IS NULL;

-- The nodes that have not ended, of an execution with very many.
CREATE INDEX "node_executions_open" ON "node_executions" ("execution_id") WHERE "ended_at" IS NULL;

-- The nodes that wait for an execution that they started.
CREATE INDEX "node_executions_launching" ON "node_executions" ("execution_id") WHERE "ended_at" IS NULL AND "kind" = 'LAUNCH_PLAN';
