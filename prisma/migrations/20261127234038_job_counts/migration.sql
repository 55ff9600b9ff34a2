-- AlterTable
ALTER TABLE "job_sets" ADD COLUMN     "is_active" BOOLEAN NOT NULL DEFAULT false,
ADD COLUMN     "open_jobs" INTEGER NOT NULL DEFAULT 0,
ADD COLUMN     "queued_jobs" INTEGER NOT NULL DEFAULT 0;

-- CreateTable
CREATE TABLE "job_counts" (
    "id" UUID NOT NULL,
    "tenant_id" UUID NOT NULL,
    "queue_id" UUID NOT NULL,
    "pool" TEXT NOT NULL,
    "project_id" UUID,
    "workflow_entity_id" UUID,
    "state" "job_state" NOT NULL,
    "count" BIGINT NOT NULL,

    CONSTRAINT "job_counts_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "job_count_changes" (
    "id" BIGSERIAL NOT NULL,
    "tenant_id" UUID NOT NULL,
    "queue_id" UUID NOT NULL,
    "pool" TEXT NOT NULL,
    "project_id" UUID,
    "workflow_entity_id" UUID,
    "state" "job_state" NOT NULL,
    "change" INTEGER NOT NULL,

    CONSTRAINT "job_count_changes_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE INDEX "job_counts_queue_id_idx" ON "job_counts"("queue_id");

-- AddForeignKey
ALTER TABLE "job_counts" ADD CONSTRAINT "job_counts_queue_id_fkey" FOREIGN KEY ("queue_id") REFERENCES "queues"("id") ON DELETE CASCADE ON UPDATE CASCADE;

CREATE UNIQUE INDEX "job_counts_key" ON "job_counts" ("tenant_id", "queue_id", "pool", "project_id", "workflow_entity_id", "state") NULLS NOT DISTINCT;
CREATE INDEX "job_sets_active" ON "job_sets" ("queue_id", "id") WHERE "is_active";

-- Nobody changes jobs until the triggers exist, so that the numbers are right from the beginning.
LOCK TABLE "jobs" IN SHARE ROW EXCLUSIVE MODE;

INSERT INTO "job_counts" ("id", "tenant_id", "queue_id", "pool", "project_id", "workflow_entity_id", "state", "count")
SELECT gen_random_uuid(), job.tenant_id, job.queue_id, job.pool, set.project_id, set.workflow_entity_id, job.state, count(*)
  FROM "jobs" AS job JOIN "job_sets" AS set ON set.id = job.job_set_id
 GROUP BY 2, 3, 4, 5, 6, 7;

UPDATE "job_sets" AS set
   SET "queued_jobs" = counted.queued, "open_jobs" = counted.open, "is_active" = true
  FROM (SELECT job_set_id, count(*) AS open, count(*) FILTER (WHERE state = 'QUEUED') AS queued
          FROM "jobs" WHERE "ended_at" IS NULL GROUP BY job_set_id) AS counted
 WHERE set.id = counted.job_set_id;

-- All three write the changes of one statement: a row of job_count_changes for each kind of jobs, and the numbers of the
-- job sets. The statement has locked the job sets before.
CREATE FUNCTION count_added_jobs() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO job_count_changes (tenant_id, queue_id, pool, project_id, workflow_entity_id, state, change)
  SELECT job.tenant_id, job.queue_id, job.pool, set.project_id, set.workflow_entity_id, job.state, count(*)
    FROM added AS job JOIN job_sets AS set ON set.id = job.job_set_id
   GROUP BY 1, 2, 3, 4, 5, 6;
  UPDATE job_sets AS set
     SET queued_jobs = queued_jobs + counted.queued, open_jobs = open_jobs + counted.open,
         is_active = open_jobs + counted.open > 0
    FROM (SELECT job_set_id, count(*) FILTER (WHERE state = 'QUEUED') AS queued,
                 count(*) FILTER (WHERE ended_at IS NULL) AS open
            FROM added GROUP BY job_set_id) AS counted
   WHERE set.id = counted.job_set_id AND counted.open > 0;
  RETURN NULL;
END $$;

CREATE FUNCTION count_removed_jobs() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO job_count_changes (tenant_id, queue_id, pool, project_id, workflow_entity_id, state, change)
  SELECT job.tenant_id, job.queue_id, job.pool, set.project_id, set.workflow_entity_id, job.state, -count(*)
    FROM removed AS job JOIN job_sets AS set ON set.id = job.job_set_id
   GROUP BY 1, 2, 3, 4, 5, 6;
  UPDATE job_sets AS set
     SET queued_jobs = queued_jobs - counted.queued, open_jobs = open_jobs - counted.open,
         is_active = open_jobs - counted.open > 0
    FROM (SELECT job_set_id, count(*) FILTER (WHERE state = 'QUEUED') AS queued,
                 count(*) FILTER (WHERE ended_at IS NULL) AS open
            FROM removed GROUP BY job_set_id) AS counted
   WHERE set.id = counted.job_set_id AND counted.open > 0;
  RETURN NULL;
END $$;

CREATE FUNCTION count_changed_jobs() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO job_count_changes (tenant_id, queue_id, pool, project_id, workflow_entity_id, state, change)
  SELECT job.tenant_id, job.queue_id, job.pool, set.project_id, set.workflow_entity_id, job.state, sum(n)
    FROM (SELECT tenant_id, queue_id, pool, job_set_id, state, -1 AS n FROM removed
          UNION ALL
          SELECT tenant_id, queue_id, pool, job_set_id, state, 1 FROM added) AS job
    JOIN job_sets AS set ON set.id = job.job_set_id
   GROUP BY 1, 2, 3, 4, 5, 6 HAVING sum(n) <> 0;
  UPDATE job_sets AS set
     SET queued_jobs = queued_jobs + counted.queued, open_jobs = open_jobs + counted.open,
         is_active = open_jobs + counted.open > 0
    FROM (SELECT job_set_id, sum(n) FILTER (WHERE state = 'QUEUED') AS queued, sum(n) FILTER (WHERE is_open) AS open
            FROM (SELECT job_set_id, state, ended_at IS NULL AS is_open, -1 AS n FROM removed
                  UNION ALL
                  SELECT job_set_id, state, ended_at IS NULL, 1 FROM added) AS job
           GROUP BY job_set_id) AS summed
   CROSS JOIN LATERAL (SELECT coalesce(summed.queued, 0) AS queued, coalesce(summed.open, 0) AS open) AS counted
   WHERE set.id = summed.job_set_id AND (counted.queued <> 0 OR counted.open <> 0);
  RETURN NULL;
END $$;

CREATE TRIGGER jobs_added AFTER INSERT ON "jobs" REFERENCING NEW TABLE AS added
  FOR EACH STATEMENT EXECUTE FUNCTION count_added_jobs();
CREATE TRIGGER jobs_removed AFTER DELETE ON "jobs" REFERENCING OLD TABLE AS removed
  FOR EACH STATEMENT EXECUTE FUNCTION count_removed_jobs();
CREATE TRIGGER jobs_changed AFTER UPDATE ON "jobs" REFERENCING OLD TABLE AS removed NEW TABLE AS added
  FOR EACH STATEMENT EXECUTE FUNCTION count_changed_jobs();
