-- DropForeignKey
ALTER TABLE "job_runs" DROP CONSTRAINT "job_runs_job_id_fkey";

-- DropForeignKey
ALTER TABLE "job_runs" DROP CONSTRAINT "job_runs_executor_id_fkey";

-- DropForeignKey
ALTER TABLE "job_events" DROP CONSTRAINT "job_events_job_set_id_fkey";

-- Each job leaves several dead rows, and the front of a queue is read past them.
ALTER TABLE "jobs" SET (autovacuum_vacuum_scale_factor = 0.02, autovacuum_analyze_scale_factor = 0.02);
ALTER TABLE "job_runs" SET (autovacuum_vacuum_scale_factor = 0.02, autovacuum_analyze_scale_factor = 0.02);

-- PostgreSQL may read the whole of a partial index that it believes to be empty. So each of these conditions is written in
-- such a way that only the statements for which an index is made can use it: `job_runs_of_executor` those with
-- `ended_at IS NULL`, `job_runs_lease_expiry` those that compare the time, and `job_runs_one_active` none.
DROP INDEX "job_runs_lease_expiry";
CREATE INDEX "job_runs_lease_expiry" ON "job_runs" ("lease_expires_at")
 WHERE "state" IN ('LEASED', 'PENDING', 'RUNNING') AND "lease_expires_at" IS NOT NULL;
DROP INDEX "job_runs_one_active";
CREATE UNIQUE INDEX "job_runs_one_active" ON "job_runs" ("job_id") WHERE coalesce("ended_at", 'infinity') = 'infinity';

-- Most jobs of users have no client id.
DROP INDEX "jobs_job_set_id_client_id_key";
CREATE UNIQUE INDEX "jobs_job_set_id_client_id_key" ON "jobs" ("job_set_id", "client_id") WHERE "client_id" IS NOT NULL;
