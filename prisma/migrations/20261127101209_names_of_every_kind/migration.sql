-- Tasks and launch plans get a named entity, as workflows have one. Existing versions get theirs here.

-- CreateEnum
CREATE TYPE "entity_type" AS ENUM ('TASK', 'WORKFLOW', 'LAUNCH_PLAN');

-- CreateEnum
CREATE TYPE "entity_state" AS ENUM ('ACTIVE', 'ARCHIVED', 'SYSTEM_GENERATED');

-- DropIndex
DROP INDEX "named_entities_tenant_id_project_id_domain_name_key";

-- AlterTable
-- Filled below, and then not null.
ALTER TABLE "tasks" ADD COLUMN     "entity_id" UUID;

-- AlterTable
ALTER TABLE "named_entities" ADD COLUMN     "description" TEXT NOT NULL DEFAULT '',
ADD COLUMN     "state" "entity_state" NOT NULL DEFAULT 'ACTIVE',
ADD COLUMN     "type" "entity_type" NOT NULL DEFAULT 'WORKFLOW',
ADD COLUMN     "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP;

-- AlterTable
ALTER TABLE "workflows" ADD COLUMN     "launch_plan_ids" JSONB NOT NULL DEFAULT '{}';

-- AlterTable
ALTER TABLE "launch_plans" ADD COLUMN     "entity_id" UUID;

-- CreateIndex
CREATE UNIQUE INDEX "named_entities_tenant_id_project_id_type_domain_name_key" ON "named_entities"("tenant_id", "project_id", "type", "domain", "name");

-- Until now, all named entities were those of workflows.
ALTER TABLE "named_entities" ALTER COLUMN "type" DROP DEFAULT;

INSERT INTO "named_entities" ("id", "tenant_id", "project_id", "type", "domain", "name", "created_at")
SELECT gen_random_uuid(), "tenant_id", "project_id", 'TASK', "domain", "name", min("created_at")
  FROM "tasks" GROUP BY "tenant_id", "project_id", "domain", "name";
UPDATE "tasks" SET "entity_id" = entity."id"
  FROM "named_entities" AS entity
 WHERE entity."type" = 'TASK' AND entity."project_id" = "tasks"."project_id"
   AND entity."domain" = "tasks"."domain" AND entity."name" = "tasks"."name";
ALTER TABLE "tasks" ALTER COLUMN "entity_id" SET NOT NULL;

INSERT INTO "named_entities" ("id", "tenant_id", "project_id", "type", "domain", "name", "created_at")
SELECT gen_random_uuid(), "tenant_id", "project_id", 'LAUNCH_PLAN', "domain", "name", min("created_at")
  FROM "launch_plans" GROUP BY "tenant_id", "project_id", "domain", "name";
UPDATE "launch_plans" SET "entity_id" = entity."id"
  FROM "named_entities" AS entity
 WHERE entity."type" = 'LAUNCH_PLAN' AND entity."project_id" = "launch_plans"."project_id"
   AND entity."domain" = "launch_plans"."domain" AND entity."name" = "launch_plans"."name";
ALTER TABLE "launch_plans" ALTER COLUMN "entity_id" SET NOT NULL;

-- AddForeignKey
ALTER TABLE "tasks" ADD CONSTRAINT "tasks_entity_id_fkey" FOREIGN KEY ("entity_id") REFERENCES "named_entities"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "launch_plans" ADD CONSTRAINT "launch_plans_entity_id_fkey" FOREIGN KEY ("entity_id") REFERENCES "named_entities"("id") ON DELETE RESTRICT ON UPDATE CASCADE;
