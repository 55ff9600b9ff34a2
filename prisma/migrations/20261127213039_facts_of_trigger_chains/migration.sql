-- DropForeignKey
ALTER TABLE "trigger_chains" DROP CONSTRAINT "trigger_chains_execution_id_fkey";

-- AlterTable
ALTER TABLE "executions" ADD COLUMN     "trigger_depth" INTEGER NOT NULL DEFAULT 0,
ADD COLUMN     "trigger_first_id" UUID;

-- AlterTable
ALTER TABLE "trigger_chains" ADD COLUMN     "last_started_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP;

-- CreateIndex
CREATE INDEX "trigger_chains_last_started_at_idx" ON "trigger_chains"("last_started_at");

-- The executions that triggers have led to, as far as those before them exist. What a user repeats begins anew. An
-- execution whose trigger waited for one that is deleted now begins its own chain.
WITH RECURSIVE "linked" AS NOT MATERIALIZED (
    SELECT id, source_id, (mode = 'TRIGGER')::int AS step
      FROM executions WHERE mode = 'TRIGGER' OR parent_node_id IS NOT NULL
),
"chain" AS (
    SELECT one.id, one.step AS depth, CASE WHEN one.step = 1 THEN COALESCE(one.source_id, one.id) END AS first_id
      FROM "linked" AS one
     WHERE NOT EXISTS (SELECT FROM "linked" AS source WHERE source.id = one.source_id)
    UNION ALL
    SELECT next.id, above.depth + next.step, COALESCE(above.first_id, CASE WHEN next.step = 1 THEN above.id END)
      FROM "chain" AS above JOIN "linked" AS next ON next.source_id = above.id
)
UPDATE executions AS execution SET trigger_depth = "chain".depth, trigger_first_id = "chain".first_id
  FROM "chain" WHERE "chain".id = execution.id AND "chain".depth > 0;
