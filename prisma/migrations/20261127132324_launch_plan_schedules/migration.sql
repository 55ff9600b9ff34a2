-- CreateTable
CREATE TABLE "launch_plan_schedules" (
    "id" UUID NOT NULL,
    "tenant_id" UUID NOT NULL,
    "entity_id" UUID NOT NULL,
    "launch_plan_id" UUID NOT NULL,
    "activated_by_id" UUID NOT NULL,
    "activated_at" TIMESTAMPTZ(3) NOT NULL,
    "last_slot_at" TIMESTAMPTZ(3) NOT NULL,
    "wake_at" TIMESTAMPTZ(3),
    "claim_id" UUID,
    "fired_slot_at" TIMESTAMPTZ(3),
    "skipped_slot_at" TIMESTAMPTZ(3),
    "attempts" INTEGER NOT NULL DEFAULT 0,
    "error_slot_at" TIMESTAMPTZ(3),
    "error_code" TEXT,
    "error_message" TEXT,
    "error_at" TIMESTAMPTZ(3),
    "lost_slot_at" TIMESTAMPTZ(3),
    "paused_at" TIMESTAMPTZ(3),
    "paused_by_id" UUID,
    "pause_reason" TEXT,

    CONSTRAINT "launch_plan_schedules_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE UNIQUE INDEX "launch_plan_schedules_entity_id_key" ON "launch_plan_schedules"("entity_id");

-- CreateIndex
CREATE UNIQUE INDEX "launch_plan_schedules_launch_plan_id_key" ON "launch_plan_schedules"("launch_plan_id");

-- CreateIndex
CREATE INDEX "launch_plan_schedules_wake_at_idx" ON "launch_plan_schedules"("wake_at");

-- AddForeignKey
ALTER TABLE "launch_plan_schedules" ADD CONSTRAINT "launch_plan_schedules_launch_plan_id_fkey" FOREIGN KEY ("launch_plan_id") REFERENCES "launch_plans"("id") ON DELETE CASCADE ON UPDATE CASCADE;
