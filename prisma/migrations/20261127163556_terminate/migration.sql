-- AlterTable
ALTER TABLE "executions" ADD COLUMN     "abort_is_forced" BOOLEAN NOT NULL DEFAULT false;

-- AlterTable
ALTER TABLE "node_executions" ADD COLUMN     "abort_cause" TEXT,
ADD COLUMN     "abort_principal_id" UUID;

-- The open nodes that users want to stop.
CREATE INDEX "node_executions_aborting" ON "node_executions" ("execution_id") WHERE "ended_at" IS NULL AND "abort_cause" IS NOT NULL;
