-- CreateEnum
CREATE TYPE "cache_status" AS ENUM ('DISABLED', 'MISS', 'HIT', 'POPULATED', 'LOOKUP_FAILURE', 'PUT_FAILURE', 'SKIPPED', 'EVICTED');

-- AlterTable
ALTER TABLE "node_executions" ADD COLUMN     "cache_status" "cache_status" NOT NULL DEFAULT 'DISABLED',
ADD COLUMN     "details" JSON,
ADD COLUMN     "dynamic_workflow" JSON,
ADD COLUMN     "is_dynamic" BOOLEAN NOT NULL DEFAULT false,
ADD COLUMN     "is_parent" BOOLEAN NOT NULL DEFAULT false,
ADD COLUMN     "parent_task_id" UUID;

-- AlterTable
ALTER TABLE "task_executions" ADD COLUMN     "details" JSON;
