-- Descriptions of versions, and indexes for the lists of names and of the versions of a name.

-- CreateEnum
CREATE TYPE "description_format" AS ENUM ('UNKNOWN', 'MARKDOWN', 'HTML', 'RST');

-- CreateTable
CREATE TABLE "description_entities" (
    "id" UUID NOT NULL,
    "tenant_id" UUID NOT NULL,
    "project_id" UUID NOT NULL,
    "type" "entity_type" NOT NULL,
    "entity_id" UUID NOT NULL,
    "task_id" UUID,
    "workflow_id" UUID,
    "domain" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "version" TEXT NOT NULL,
    "short_description" TEXT NOT NULL DEFAULT '',
    "long_text" TEXT,
    "long_uri" TEXT,
    "long_format" "description_format" NOT NULL DEFAULT 'UNKNOWN',
    "icon_link" TEXT NOT NULL DEFAULT '',
    "source_link" TEXT NOT NULL DEFAULT '',
    "tags" TEXT[] DEFAULT ARRAY[]::TEXT[],
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "description_entities_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE UNIQUE INDEX "description_entities_task_id_key" ON "description_entities"("task_id");

-- CreateIndex
CREATE UNIQUE INDEX "description_entities_workflow_id_key" ON "description_entities"("workflow_id");

-- CreateIndex
CREATE INDEX "description_entities_project_id_type_domain_created_at_id_idx" ON "description_entities"("project_id", "type", "domain", "created_at" DESC, "id" DESC);

-- CreateIndex
CREATE UNIQUE INDEX "description_entities_tenant_id_project_id_type_domain_name__key" ON "description_entities"("tenant_id", "project_id", "type", "domain", "name", "version");

-- CreateIndex
CREATE INDEX "tasks_entity_id_created_at_id_idx" ON "tasks"("entity_id", "created_at" DESC, "id" DESC);

-- CreateIndex
CREATE INDEX "named_entities_project_id_type_domain_created_at_id_idx" ON "named_entities"("project_id", "type", "domain", "created_at" DESC, "id" DESC);

-- CreateIndex
CREATE INDEX "workflows_entity_id_created_at_id_idx" ON "workflows"("entity_id", "created_at" DESC, "id" DESC);

-- CreateIndex
CREATE INDEX "launch_plans_entity_id_created_at_id_idx" ON "launch_plans"("entity_id", "created_at" DESC, "id" DESC);

-- AddForeignKey
ALTER TABLE "description_entities" ADD CONSTRAINT "description_entities_entity_id_fkey" FOREIGN KEY ("entity_id") REFERENCES "named_entities"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "description_entities" ADD CONSTRAINT "description_entities_task_id_fkey" FOREIGN KEY ("task_id") REFERENCES "tasks"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "description_entities" ADD CONSTRAINT "description_entities_workflow_id_fkey" FOREIGN KEY ("workflow_id") REFERENCES "workflows"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- A description is about a task or a workflow, and says itself which.
ALTER TABLE "description_entities" ADD CONSTRAINT "description_entities_one_version"
  CHECK (("type" = 'TASK') = ("task_id" IS NOT NULL) AND ("type" = 'WORKFLOW') = ("workflow_id" IS NOT NULL)
    AND "type" <> 'LAUNCH_PLAN');
