-- Attributes that apply to everything in a project, a domain, a workflow or a launch plan.

-- CreateEnum
CREATE TYPE "matchable_resource" AS ENUM ('TASK_RESOURCE', 'CLUSTER_RESOURCE', 'EXECUTION_QUEUE', 'EXECUTION_CLUSTER_LABEL', 'QUALITY_OF_SERVICE_SPECIFICATION', 'PLUGIN_OVERRIDE', 'WORKFLOW_EXECUTION_CONFIG', 'CLUSTER_ASSIGNMENT');

-- CreateTable
CREATE TABLE "matchable_attributes" (
    "id" UUID NOT NULL,
    "tenant_id" UUID NOT NULL,
    "project_id" UUID NOT NULL,
    "domain" TEXT,
    "workflow" TEXT,
    "launch_plan" TEXT,
    "resource_type" "matchable_resource" NOT NULL,
    "priority" INTEGER NOT NULL,
    "payload" JSON NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "matchable_attributes_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE INDEX "matchable_attributes_tenant_id_resource_type_priority_id_idx" ON "matchable_attributes"("tenant_id", "resource_type", "priority" DESC, "id" DESC);

-- One record of a kind in each scope. A part of the scope that is null counts as equal to another null.
CREATE UNIQUE INDEX "matchable_attributes_one_per_scope" ON "matchable_attributes" ("tenant_id", "project_id", "domain", "workflow", "launch_plan", "resource_type") NULLS NOT DISTINCT;

-- A workflow is in a domain, and a launch plan launches a workflow.
ALTER TABLE "matchable_attributes" ADD CONSTRAINT "matchable_attributes_scope_is_nested"
  CHECK (("workflow" IS NULL OR "domain" IS NOT NULL) AND ("launch_plan" IS NULL OR "workflow" IS NOT NULL));

ALTER TABLE "matchable_attributes" ADD CONSTRAINT "matchable_attributes_project_id_fkey" FOREIGN KEY ("project_id") REFERENCES "projects"("id");
