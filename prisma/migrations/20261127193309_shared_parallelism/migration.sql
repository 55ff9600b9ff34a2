-- AlterTable
ALTER TABLE "executions" ADD COLUMN     "budget_ids" UUID[] DEFAULT ARRAY[]::UUID[],
ADD COLUMN     "budget_limit" INTEGER;

-- CreateTable
CREATE TABLE "budget_shares" (
    "execution_id" UUID NOT NULL,
    "tenant_id" UUID NOT NULL,
    "owner_id" UUID NOT NULL,
    "budget_ids" UUID[],
    "held" INTEGER NOT NULL,
    "fresh" INTEGER NOT NULL DEFAULT 0,
    "wanted" INTEGER NOT NULL,
    "waiting_since" TIMESTAMPTZ(3),
    "needs_look" BOOLEAN NOT NULL DEFAULT false,

    CONSTRAINT "budget_shares_pkey" PRIMARY KEY ("execution_id")
);

-- CreateIndex
CREATE INDEX "budget_shares_owner_id_idx" ON "budget_shares"("owner_id");

-- AddForeignKey
ALTER TABLE "budget_shares" ADD CONSTRAINT "budget_shares_execution_id_fkey" FOREIGN KEY ("execution_id") REFERENCES "executions"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- The groups whose places must be given out anew.
CREATE INDEX "budget_shares_looks" ON "budget_shares" ("owner_id") WHERE "needs_look";

-- The executions that wait for a place.
CREATE INDEX "budget_shares_waiting" ON "budget_shares" ("owner_id") WHERE "wanted" > 0;

-- What open executions are below, from the outermost ones down.
WITH RECURSIVE tree AS (
  SELECT id, max_parallelism, '{}'::uuid[] AS budget_ids, NULL::int AS budget_limit
    FROM executions WHERE ended_at IS NULL AND parent_node_id IS NULL
  UNION ALL
  SELECT child.id, child.max_parallelism,
         CASE WHEN tree.max_parallelism > 0 AND (tree.budget_limit IS NULL OR tree.max_parallelism < tree.budget_limit)
              THEN tree.budget_ids || tree.id ELSE tree.budget_ids END,
         CASE WHEN tree.max_parallelism > 0 AND (tree.budget_limit IS NULL OR tree.max_parallelism < tree.budget_limit)
              THEN tree.max_parallelism ELSE tree.budget_limit END
    FROM tree
    JOIN node_executions AS node ON node.execution_id = tree.id AND node.kind = 'LAUNCH_PLAN'
    JOIN executions AS child ON child.parent_node_id = node.id AND child.ended_at IS NULL
)
UPDATE executions SET budget_ids = tree.budget_ids, budget_limit = tree.budget_limit
  FROM tree WHERE executions.id = tree.id AND tree.budget_limit IS NOT NULL;

-- The places of tasks that run now.
INSERT INTO budget_shares (execution_id, tenant_id, owner_id, budget_ids, held, wanted)
SELECT share.id, share.tenant_id, share.budget_ids[1], share.budget_ids, active.count, 0
  FROM (
    SELECT id, tenant_id,
           CASE WHEN max_parallelism > 0 AND (budget_limit IS NULL OR max_parallelism < budget_limit)
                THEN budget_ids || id ELSE budget_ids END AS budget_ids
      FROM executions AS execution
     WHERE ended_at IS NULL
       AND (budget_limit IS NOT NULL
            OR EXISTS (SELECT FROM executions AS below WHERE below.ended_at IS NULL AND execution.id = ANY (below.budget_ids)))
  ) AS share
  JOIN (
    SELECT execution_id, sum(count)::int AS count FROM node_phase_counts
     WHERE kind = 'TASK' AND phase IN ('QUEUED', 'RUNNING', 'DYNAMIC_RUNNING', 'FAILING')
     GROUP BY execution_id
  ) AS active ON active.execution_id = share.id AND active.count > 0;
