-- The nodes directly inside of an attempt. Few nodes are, so the index is partial.
CREATE INDEX "node_executions_parent_task" ON "node_executions" ("parent_task_id", "id" DESC) WHERE "parent_task_id" IS NOT NULL;
