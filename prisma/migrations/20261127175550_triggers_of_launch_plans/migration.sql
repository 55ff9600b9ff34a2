-- CreateTable
CREATE TABLE "trigger_firings" (
    "id" UUID NOT NULL DEFAULT gen_random_uuid(),
    "tenant_id" UUID NOT NULL,
    "trigger_id" UUID NOT NULL,
    "source_execution_id" UUID NOT NULL,
    "wake_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "attempts" INTEGER NOT NULL DEFAULT 0,

    CONSTRAINT "trigger_firings_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "launch_plan_triggers" (
    "id" UUID NOT NULL,
    "tenant_id" UUID NOT NULL,
    "entity_id" UUID NOT NULL,
    "launch_plan_id" UUID NOT NULL,
    "position" INTEGER NOT NULL,
    "source_project" TEXT NOT NULL,
    "source_domain" TEXT NOT NULL,
    "source_name" TEXT NOT NULL,
    "phases" "execution_phase"[],
    "activated_by_id" UUID NOT NULL,
    "activated_at" TIMESTAMPTZ(3) NOT NULL,
    "error_code" TEXT,
    "error_message" TEXT,
    "error_at" TIMESTAMPTZ(3),

    CONSTRAINT "launch_plan_triggers_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE INDEX "trigger_firings_source_execution_id_idx" ON "trigger_firings"("source_execution_id");

-- CreateIndex
CREATE INDEX "trigger_firings_wake_at_idx" ON "trigger_firings"("wake_at");

-- CreateIndex
CREATE UNIQUE INDEX "trigger_firings_trigger_id_source_execution_id_key" ON "trigger_firings"("trigger_id", "source_execution_id");

-- CreateIndex
CREATE INDEX "launch_plan_triggers_entity_id_idx" ON "launch_plan_triggers"("entity_id");

-- CreateIndex
CREATE INDEX "launch_plan_triggers_tenant_id_source_project_source_domain_idx" ON "launch_plan_triggers"("tenant_id", "source_project", "source_domain", "source_name");

-- CreateIndex
CREATE UNIQUE INDEX "launch_plan_triggers_launch_plan_id_position_key" ON "launch_plan_triggers"("launch_plan_id", "position");

-- AddForeignKey
ALTER TABLE "trigger_firings" ADD CONSTRAINT "trigger_firings_source_execution_id_fkey" FOREIGN KEY ("source_execution_id") REFERENCES "executions"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "launch_plan_triggers" ADD CONSTRAINT "launch_plan_triggers_launch_plan_id_fkey" FOREIGN KEY ("launch_plan_id") REFERENCES "launch_plans"("id") ON DELETE CASCADE ON UPDATE CASCADE;
