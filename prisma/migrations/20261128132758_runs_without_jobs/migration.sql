-- AlterTable
ALTER TABLE "job_runs" ADD COLUMN     "job_set_id" UUID,
ADD COLUMN     "queue_id" UUID,
ADD COLUMN     "shape" TEXT;

UPDATE "job_runs" AS run SET job_set_id = job.job_set_id, queue_id = job.queue_id, shape = job.shape
  FROM "jobs" AS job WHERE job.id = run.job_id;

ALTER TABLE "job_runs" ALTER COLUMN "job_set_id" SET NOT NULL,
ALTER COLUMN "queue_id" SET NOT NULL,
ALTER COLUMN "shape" SET NOT NULL;

-- A round of scheduling reads these few beside the runs, instead of the job of each run.
CREATE INDEX "jobs_stopping" ON "jobs" ("tenant_id", "id") WHERE "state" IN ('CANCELLING', 'PREEMPTING');

-- The same as before, but adds up what has changed once, for both tables.
CREATE OR REPLACE FUNCTION count_changed_jobs() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  WITH changed AS MATERIALIZED (
    SELECT tenant_id, queue_id, pool, job_set_id, state, is_open, sum(n) AS n
      FROM (SELECT tenant_id, queue_id, pool, job_set_id, state, ended_at IS NULL AS is_open, -1 AS n FROM removed
            UNION ALL
            SELECT tenant_id, queue_id, pool, job_set_id, state, ended_at IS NULL, 1 FROM added) AS job
     GROUP BY 1, 2, 3, 4, 5, 6 HAVING sum(n) <> 0
  ),
  logged AS (
    INSERT INTO job_count_changes (tenant_id, queue_id, pool, project_id, workflow_entity_id, state, change)
    SELECT changed.tenant_id, changed.queue_id, changed.pool, set.project_id, set.workflow_entity_id, changed.state,
           sum(n)
      FROM changed JOIN job_sets AS set ON set.id = changed.job_set_id
     GROUP BY 1, 2, 3, 4, 5, 6 HAVING sum(n) <> 0
  )
  UPDATE job_sets AS set
     SET queued_jobs = queued_jobs + summed.queued, open_jobs = open_jobs + summed.open,
         is_active = open_jobs + summed.open > 0
    FROM (SELECT job_set_id, coalesce(sum(n) FILTER (WHERE state = 'QUEUED'), 0) AS queued,
                 coalesce(sum(n) FILTER (WHERE is_open), 0) AS open
            FROM changed GROUP BY job_set_id) AS summed
   WHERE set.id = summed.job_set_id AND (summed.queued <> 0 OR summed.open <> 0);
  RETURN NULL;
END $$;
