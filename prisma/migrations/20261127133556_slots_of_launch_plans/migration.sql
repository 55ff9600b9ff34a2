-- AlterTable
ALTER TABLE "executions" ADD COLUMN     "awaits_slot" BOOLEAN NOT NULL DEFAULT false,
ADD COLUMN     "max_concurrent" INTEGER;

-- Few executions have not ended, and fewer wait.
CREATE INDEX "executions_open_of_plan" ON "executions" ("launch_plan_id") WHERE "ended_at" IS NULL;
CREATE INDEX "executions_awaiting" ON "executions" ("launch_plan_id") WHERE "awaits_slot" AND "phase" = 'QUEUED';
