-- CreateEnum
CREATE TYPE "notification_sink" AS ENUM ('EMAIL', 'PAGER_DUTY', 'SLACK', 'WEBHOOK');

-- CreateEnum
CREATE TYPE "delivery_state" AS ENUM ('PENDING', 'DELIVERED', 'DEAD');

-- AlterTable
ALTER TABLE "executions" ADD COLUMN     "notifications" JSON,
ADD COLUMN     "notify_at" TIMESTAMPTZ(3);

-- CreateTable
CREATE TABLE "notification_deliveries" (
    "id" UUID NOT NULL,
    "tenant_id" UUID NOT NULL,
    "project_id" UUID NOT NULL,
    "execution_id" UUID NOT NULL,
    "position" INTEGER NOT NULL,
    "phase" "execution_phase" NOT NULL,
    "sink" "notification_sink" NOT NULL,
    "url" TEXT,
    "recipients" TEXT[] DEFAULT ARRAY[]::TEXT[],
    "content" JSON NOT NULL,
    "state" "delivery_state" NOT NULL DEFAULT 'PENDING',
    "attempts" INTEGER NOT NULL DEFAULT 0,
    "next_attempt_at" TIMESTAMPTZ(3),
    "claim_id" UUID,
    "log" JSONB NOT NULL DEFAULT '[]',
    "delivered_at" TIMESTAMPTZ(3),
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "notification_deliveries_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE INDEX "notification_deliveries_execution_id_id_idx" ON "notification_deliveries"("execution_id", "id" DESC);

-- CreateIndex
CREATE INDEX "notification_deliveries_next_attempt_at_idx" ON "notification_deliveries"("next_attempt_at");

-- CreateIndex
CREATE UNIQUE INDEX "notification_deliveries_execution_id_position_key" ON "notification_deliveries"("execution_id", "position");

-- AddForeignKey
ALTER TABLE "notification_deliveries" ADD CONSTRAINT "notification_deliveries_execution_id_fkey" FOREIGN KEY ("execution_id") REFERENCES "executions"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- Executions that have ended and whose notifications are not planned yet.
CREATE INDEX "executions_notify_at_idx" ON "executions"("notify_at") WHERE "notify_at" IS NOT NULL;
