-- CreateIndex
CREATE INDEX "cache_entries_project_id_task_domain_last_used_at_id_idx" ON "cache_entries"("project_id", "task_domain", "last_used_at", "id");

-- CreateIndex
CREATE INDEX "cache_entries_last_used_at_id_idx" ON "cache_entries"("last_used_at", "id");
