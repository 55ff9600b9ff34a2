-- An execution keeps everything that it was asked for, and where it comes from. Gates wait for signals.

-- CreateEnum
CREATE TYPE "launch_entity" AS ENUM ('LAUNCH_PLAN', 'TASK');

-- AlterTable
ALTER TABLE "executions" ADD COLUMN     "cluster" TEXT,
ADD COLUMN     "interruptible" BOOLEAN,
ADD COLUMN     "launch_entity" "launch_entity" NOT NULL DEFAULT 'LAUNCH_PLAN',
ADD COLUMN     "nesting" INTEGER NOT NULL DEFAULT 0,
ADD COLUMN     "overwrite_cache" BOOLEAN NOT NULL DEFAULT false,
ADD COLUMN     "parent_node_id" UUID,
ADD COLUMN     "reference_id" UUID,
ADD COLUMN     "scheduled_at" TIMESTAMPTZ(3),
ADD COLUMN     "source_id" UUID,
ADD COLUMN     "spec" JSON NOT NULL DEFAULT '{}',
ADD COLUMN     "state_changed_at" TIMESTAMPTZ(3),
ADD COLUMN     "state_changed_by_id" UUID,
ADD COLUMN     "task_id" UUID;

-- CreateTable
CREATE TABLE "signals" (
    "id" UUID NOT NULL,
    "tenant_id" UUID NOT NULL,
    "execution_id" UUID NOT NULL,
    "signal_id" TEXT NOT NULL,
    "type" JSON NOT NULL,
    "value" JSON,
    "set_at" TIMESTAMPTZ(3),
    "set_by_id" UUID,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "signals_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE UNIQUE INDEX "signals_execution_id_signal_id_key" ON "signals"("execution_id", "signal_id");

-- AddForeignKey
ALTER TABLE "executions" ADD CONSTRAINT "executions_reference_id_fkey" FOREIGN KEY ("reference_id") REFERENCES "executions"("id") ON DELETE SET NULL ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "executions" ADD CONSTRAINT "executions_source_id_fkey" FOREIGN KEY ("source_id") REFERENCES "executions"("id") ON DELETE SET NULL ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "executions" ADD CONSTRAINT "executions_parent_node_id_fkey" FOREIGN KEY ("parent_node_id") REFERENCES "node_executions"("id") ON DELETE SET NULL ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "signals" ADD CONSTRAINT "signals_execution_id_fkey" FOREIGN KEY ("execution_id") REFERENCES "executions"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- Only few executions have these.
CREATE INDEX "executions_reference" ON "executions" ("reference_id") WHERE "reference_id" IS NOT NULL;
CREATE INDEX "executions_source" ON "executions" ("source_id") WHERE "source_id" IS NOT NULL;
CREATE INDEX "executions_parent_node" ON "executions" ("parent_node_id") WHERE "parent_node_id" IS NOT NULL;
