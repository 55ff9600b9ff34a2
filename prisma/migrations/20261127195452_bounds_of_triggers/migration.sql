-- AlterTable
ALTER TABLE "launch_plan_triggers" ADD COLUMN     "pause_reason" TEXT,
ADD COLUMN     "paused_at" TIMESTAMPTZ(3),
ADD COLUMN     "paused_by_id" UUID;

-- CreateTable
CREATE TABLE "trigger_chains" (
    "execution_id" UUID NOT NULL,
    "tenant_id" UUID NOT NULL,
    "started" INTEGER NOT NULL,

    CONSTRAINT "trigger_chains_pkey" PRIMARY KEY ("execution_id")
);

-- AddForeignKey
ALTER TABLE "trigger_chains" ADD CONSTRAINT "trigger_chains_execution_id_fkey" FOREIGN KEY ("execution_id") REFERENCES "executions"("id") ON DELETE CASCADE ON UPDATE CASCADE;
