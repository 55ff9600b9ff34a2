-- Lists inside objects, and executions of all projects, are read in the order of an index.

-- CreateIndex
CREATE INDEX "executions_tenant_id_created_at_id_idx" ON "executions"("tenant_id", "created_at" DESC, "id" DESC);

-- CreateIndex
CREATE INDEX "executions_tenant_id_principal_id_created_at_id_idx" ON "executions"("tenant_id", "principal_id", "created_at" DESC, "id" DESC);

-- CreateIndex
CREATE INDEX "executions_project_id_created_at_id_idx" ON "executions"("project_id", "created_at" DESC, "id" DESC);

-- CreateIndex
CREATE INDEX "executions_workflow_id_created_at_id_idx" ON "executions"("workflow_id", "created_at" DESC, "id" DESC);

-- CreateIndex
CREATE INDEX "executions_launch_plan_id_created_at_id_idx" ON "executions"("launch_plan_id", "created_at" DESC, "id" DESC);

-- CreateIndex
CREATE INDEX "queues_project_id_idx" ON "queues"("project_id");

-- CreateIndex
CREATE INDEX "jobs_queue_id_id_idx" ON "jobs"("queue_id", "id" DESC);

-- CreateIndex
CREATE INDEX "tasks_project_id_created_at_id_idx" ON "tasks"("project_id", "created_at" DESC, "id" DESC);

-- CreateIndex
CREATE INDEX "workflows_project_id_created_at_id_idx" ON "workflows"("project_id", "created_at" DESC, "id" DESC);

-- CreateIndex
CREATE INDEX "launch_plans_project_id_created_at_id_idx" ON "launch_plans"("project_id", "created_at" DESC, "id" DESC);
